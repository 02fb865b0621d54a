"""formats/generators.md in plain Python integers: slow, and shares no code with the package."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SPECIFICATION = (ROOT / "formats" / "generators.md").read_text(encoding="utf-8")
LOW = 0xFFFFFFFF


def read_table() -> list[list[int]]:
    """Return the rows C0 to C5 as printed in the specification."""
    begin, end = "<!-- normal table: begin -->", "<!-- normal table: end -->"
    text = SPECIFICATION.partition(begin)[2].partition(end)[0]
    numbers = [int(number) for number in re.findall(r"(?<!\S)\d+", text)]
    return [numbers[32 * row : 32 * row + 32] for row in range(len(numbers) // 32)]


TABLE = read_table()


def block(counter: tuple[int, ...], key: tuple[int, ...]) -> list[int]:
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        p, q = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (q >> 32) ^ c1 ^ k0, q & LOW, (p >> 32) ^ c3 ^ k1, p & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return [c0, c1, c2, c3]


def word(seed: int, stream: int, i: int) -> int:
    b = i // 4
    return block((b & LOW, b >> 32, stream & LOW, stream >> 32), (seed & LOW, seed >> 32))[i % 4]


def octave(v: int) -> int:
    e = 32 - v.bit_length()
    t = (v << (e + 1)) & LOW
    a = TABLE[5][e]
    for row in TABLE[4::-1]:
        a = row[e] - (a * t >> 32)
        assert a > 0
    return a >> 8


def integer(draw: str, w: int, tail: int = 0) -> int:
    if draw == "uniform":
        return 2 * (w >> 8) + 1 - 2**24
    m = octave(w | 1 if draw == "normal" else tail + ((w >> 1) * (2**32 - tail) >> 31))
    return -m if w & 1 else m
