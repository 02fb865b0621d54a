"""Budgets: how many weights each layer may train, where layers do not compete."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod

from freezepack.errors import SelectionError, UnknownNameError

Shapes = Mapping[str, tuple[int, ...]]
BUDGETS = ("global", "uniform", "erk", "equal")
"""One pool for all layers, the same density in each, Erdős-Rényi-kernel densities, the same number
in each."""


def layer_counts(shapes: Shapes, count: int, budget: str) -> dict[str, int]:
    """Divide a trained count over layers.

    Parameters
    ----------
    shapes : mapping of name to shape
        The eligible weights, in file order.
    count : int
        Number of weights to train in all, 1 to their number.
    budget : {"uniform", "erk", "equal"}
        "uniform": the same density everywhere. "erk": density in proportion to
        sum(shape) / prod(shape). "equal": the same number in each layer. A layer that would
        exceed its size is dense, and the rest is divided anew.

    Returns
    -------
    dict of name to int
        They add up to `count` exactly: fractions are computed exactly, rounded down, and what is
        left goes to the largest remainders, ties to the lower index.

    Raises
    ------
    UnknownNameError
        If there is no such budget.

    References
    ----------
    Mocanu et al., arXiv:1707.04780 (Erdős-Rényi); Evci et al., arXiv:1911.11134 (kernel sizes);
    Price, Tanner, arXiv:2102.07655 (equal numbers).

    Examples
    --------
    >>> layer_counts({"a": (300, 784), "b": (10, 300)}, 2000, "uniform")
    {'a': 1975, 'b': 25}
    >>> layer_counts({"a": (300, 784), "b": (10, 300)}, 2000, "erk")
    {'a': 1555, 'b': 445}
    """
    if budget not in BUDGETS[1:]:
        raise UnknownNameError("budget of layers", budget, BUDGETS)
    sizes = {name: prod(shape) for name, shape in shapes.items()}
    if not 1 <= count <= sum(sizes.values()):
        raise SelectionError(f"count is {count}, expected 1 to {sum(sizes.values())}")
    weights: dict[str, Callable[[tuple[int, ...]], int]] = {
        "uniform": prod,
        "erk": sum,
        "equal": lambda shape: 1,
    }
    parts = {name: weights[budget](shape) for name, shape in shapes.items()}
    exact: dict[str, Fraction] = {}
    while len(exact) < len(shapes):
        rest = [name for name in shapes if name not in exact]
        left = count - sum(exact.values())
        share = Fraction(left) / sum(parts[name] for name in rest)
        full = [name for name in rest if share * parts[name] > sizes[name]]
        exact |= {name: Fraction(sizes[name]) for name in full}
        if not full:
            exact |= {name: share * parts[name] for name in rest}
    return _round({name: exact[name] for name in shapes}, count)


def _round(exact: Mapping[str, Fraction], count: int) -> dict[str, int]:
    """Return whole numbers that add up to `count`, by largest remainders."""
    counts = {name: int(number) for name, number in exact.items()}
    order = sorted(exact, key=lambda name: counts[name] - exact[name])  # stable: lower index first
    for name in order[: count - sum(counts.values())]:
        counts[name] += 1
    return counts
