"""What a cut leaves out of the normal distribution, in decimal arithmetic.

The number stands in the file, so it must not depend on a machine's mathematical library.
"""

from decimal import Context, Decimal, localcontext
from math import isnan

_DIGITS = Context(prec=60)
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
_FARTHEST = 7
"""The tail is below 2**-33 from here on."""


def tail_of(cut: float) -> int:
    """Return round(2**32 * P(abs(z) > cut)) for a standard normal z.

    For a negative cut the formula goes on as 2 - P(abs(z) > -cut), so the result is above 2**32.

    Raises
    ------
    ValueError
        If `cut` is not a number.

    Examples
    --------
    >>> tail_of(2.0)
    195422145
    """
    cut = float(cut)
    if isnan(cut):
        raise ValueError("cut is nan, expected a number such as 2.0")
    with localcontext(_DIGITS):
        inside = _inside(Decimal(abs(cut))) if abs(cut) < _FARTHEST else Decimal(1)
        outside = 1 - inside if cut >= 0 else 1 + inside
        return int((outside * (1 << 32)).to_integral_value())


def _inside(cut: Decimal) -> Decimal:
    """Return P(abs(z) < cut): sqrt(2 / pi) exp(-cut**2 / 2) times the sum of cut**n / n!!, n odd.

    All terms have one sign, so nothing cancels.
    """
    square = cut * cut
    term = total = cut
    odd = 1
    while term > Decimal("1e-58"):
        odd += 2
        term *= square / odd
        total += term
    return (Decimal(2) / _PI).sqrt() * (-square / 2).exp() * total
