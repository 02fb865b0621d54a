"""The freezing rate as an exact number, and the trained count that follows from it."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction

from freezepack.errors import SelectionError


def trained_count(size: int, rate: str | float) -> int:
    """Return how many of `size` weights are trained at a freezing rate.

    Parameters
    ----------
    size : int
        Number of eligible weights.
    rate : str or float
        Freezing rate, 0 <= rate < 1, taken as the decimal number it is written as.

    Returns
    -------
    int
        round_half_even(size * (1 - rate)), computed exactly.

    Raises
    ------
    SelectionError
        If the rate is out of range or leaves nothing to train.

    Examples
    --------
    >>> trained_count(430_500, 0.995)
    2152
    """
    exact = Fraction(_parse(rate))
    if size < 1:
        raise SelectionError("no weight is eligible, so there is nothing to select")
    count = round(size * (1 - exact))
    if count < 1:
        raise SelectionError(f"freezing rate {rate} leaves none of {size} weights to train")
    return count


def canonical_rate(rate: str | float) -> str:
    """Return a freezing rate as the shortest decimal number.

    Raises
    ------
    SelectionError
        If it is no decimal number with 0 <= rate < 1.

    Examples
    --------
    >>> canonical_rate("0.9950"), canonical_rate(0.0)
    ('0.995', '0')
    """
    number = _parse(rate)
    return format(number.normalize(), "f") if number else "0"


def _parse(rate: str | float) -> Decimal:
    try:
        number = Decimal(str(rate))
    except InvalidOperation:
        raise SelectionError(f"freezing rate is {rate!r}, expected a decimal number") from None
    if not (number.is_finite() and 0 <= number < 1):
        raise SelectionError(f"freezing rate is {rate}, expected 0 <= rate < 1")
    return number
