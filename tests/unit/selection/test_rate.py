"""The trained count is exact, whatever floating point would say."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.errors import SelectionError
from freezepack.selection.rate import canonical_rate, trained_count


@pytest.mark.parametrize(
    ("size", "rate", "count"),
    [
        (430_500, 0.995, 2152),  # 2152.5, half to even
        (430_500, "0.995", 2152),
        (430_500, "0.99", 4305),
        (266_200, "0.98", 5324),
        (300, "0.995", 2),  # 1.5, half to even
        (100, "0.995", 0),  # 0.5, half to even: nothing
        (10, 0, 10),
        (10, "0.0", 10),
        (7, "1e-9", 7),
    ],
)
def test_the_count_is_rounded_half_to_even(size: int, rate: str | float, count: int) -> None:
    if count == 0:
        with pytest.raises(SelectionError, match=r"0\.995 leaves none of 100 weights to train"):
            trained_count(size, rate)
    else:
        assert trained_count(size, rate) == count


@pytest.mark.parametrize("rate", ["1", 1.0, "-0.1", 2, "inf", "nan", float("nan")])
def test_rates_outside_zero_to_one_are_refused(rate: str | float) -> None:
    with pytest.raises(SelectionError, match=f"freezing rate is {rate}, expected 0 <= rate < 1"):
        trained_count(1000, rate)


@pytest.mark.parametrize("rate", ["", "half", "1/2", "0,5"])
def test_what_is_no_decimal_number_is_refused(rate: str) -> None:
    with pytest.raises(SelectionError, match="expected a decimal number"):
        canonical_rate(rate)


def test_nothing_eligible_is_refused() -> None:
    with pytest.raises(SelectionError, match="no weight is eligible"):
        trained_count(0, "0.5")


def test_equal_rates_have_one_canonical_form() -> None:
    rates: list[str | float] = ["0.50", ".5", "5e-1", 0.5, "+0.5"]
    assert {canonical_rate(rate) for rate in rates} == {"0.5"}
    assert [canonical_rate(r) for r in ("0", "0.000", "1e-7")] == ["0", "0", "0.0000001"]


@given(st.integers(1, 10**9), st.decimals(0, "0.999", places=3))
def test_the_count_is_that_of_exact_arithmetic(size: int, rate: object) -> None:
    exact = round(size * (1 - Fraction(str(rate))))
    if exact >= 1:
        assert trained_count(size, str(rate)) == exact
