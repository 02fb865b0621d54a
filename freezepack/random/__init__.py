"""Exact random numbers: the same bits on every machine, any slice made alone.

`fill` is a product of its own: it needs NumPy and nothing else of freezepack. The rules are in
formats/generators.md.
"""

from freezepack.random.arrays import fill
from freezepack.random.init import check_init, find_init_problem, find_range_problem, make_init
from freezepack.random.raw import fill_raw, words
from freezepack.random.schemes import SCHEMES
from freezepack.random.seeded import permutation, smallest_words

__all__ = [
    "SCHEMES",
    "check_init",
    "fill",
    "fill_raw",
    "find_init_problem",
    "find_range_problem",
    "make_init",
    "permutation",
    "smallest_words",
    "words",
]
