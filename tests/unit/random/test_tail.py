"""The tail of a cut is the same number on every machine."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.random import init
from freezepack.random.tail import tail_of

NORMAL = {1: 1362838254, 2: 195422145, 3: 11595536}


@pytest.mark.parametrize(("cut", "tail"), NORMAL.items())
def test_known_tails(cut: int, tail: int) -> None:
    assert tail_of(cut) == tail
    assert tail_of(-cut) == 2**33 - tail


@pytest.mark.parametrize(
    ("cut", "tail"),
    [(0.0, 2**32), (-0.0, 2**32), (5e-324, 2**32), (7.0, 0), (math.inf, 0), (-math.inf, 2**33)],
)
def test_the_ends(cut: float, tail: int) -> None:
    assert tail_of(cut) == tail


def test_the_last_cut_with_a_tail() -> None:
    assert [tail_of(cut) for cut in (6.3, 6.33, 6.34, 6.345, 6.45)] == [1, 1, 1, 1, 0]


@given(st.floats(-6.5, 6.5))
def test_it_is_the_rational_sum_rounded(cut: float) -> None:
    assert tail_of(cut) == round(2**32 * (1 - erf_of_root_half(Fraction(cut))))


def erf_of_root_half(z: Fraction) -> Fraction:
    """Return P(abs(w) < z), signed: the alternating series with 400 bits behind the point."""
    one = 1 << 400
    fixed = int(z * one)
    square = fixed * fixed // one
    term, total, n = fixed, fixed, 0
    while term:
        n += 1
        term = -term * square // (one * 2 * n)
        if term == -1:
            break
        total += term // (2 * n + 1)
    pi = Fraction(
        "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899"
    )
    root = Fraction(math.isqrt(int(2 / pi * one * one)), one)
    return Fraction(total, one) * root


def test_no_mathematical_library_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(math, "erfc")
    for cut, tail in NORMAL.items():
        assert init.make_init("truncated_normal", 1.0, cut=cut).tail == tail


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cut is nan, expected a number such as 2\.0"):
        tail_of(math.nan)
