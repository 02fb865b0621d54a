"""The four integer tables of the codec, made from their rules in decimal arithmetic."""

import decimal
import hashlib
from decimal import Decimal
from functools import cache
from typing import NamedTuple

import numpy as np

SHA256 = "c904e07f479abc5972bfda2973c5cb0fd9df82d961ce4fa98224ffd9f7e662b5"
_PRECISION = 60


class Tables(NamedTuple):
    """The tables of formats/probit.md, section 2, as tuples of plain integers.

    The first three have 289 entries, for t = -4.5 to 4.5 in steps of 1/32. P is the normal
    distribution function at t, h is its density over P.
    """

    logit: tuple[int, ...]
    """256 log2(P / (1 - P)), between -4095 and 4095."""
    pull: tuple[int, ...]
    """65536 h: how far a trained position pulls the sum of its effects."""
    gain: tuple[int, ...]
    """65536 h (h + t): the share of its variance that the sum loses by it."""
    exp2: tuple[int, ...]
    """256 entries: 65536 * 2**(i/256)."""

    def to_bytes(self) -> bytes:
        """Return the tables as formats/probit.md lays them out: int32, little-endian."""
        return b"".join(np.array(table, "<i4").tobytes() for table in self)


def _round(value: Decimal) -> int:
    return int(value.to_integral_value(decimal.ROUND_HALF_UP))


def _root_of_two_pi() -> Decimal:
    """Return sqrt(2 pi), from Machin's formula."""

    def arctan_of_inverse(n: int) -> Decimal:
        total, power, k = Decimal(0), Decimal(1) / n, 0
        while power > Decimal(10) ** -_PRECISION:
            total += power / (2 * k + 1) * (-1) ** k
            power /= n * n
            k += 1
        return total

    return (8 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))).sqrt()


def _below(t: Decimal, density: Decimal) -> Decimal:
    """Return the normal distribution function: 1/2 + density * (t + t**3/3 + t**5/15 + ...)."""
    total, term, odd = Decimal(0), t, 1
    while abs(term) > Decimal(10) ** -_PRECISION:
        total += term
        odd += 2
        term *= t * t / odd
    return Decimal("0.5") + density * total


@cache
def tables() -> Tables:
    """Return the tables; no C library function takes part, so they are equal everywhere.

    Raises
    ------
    RuntimeError
        If the tables do not have the published SHA-256 (a broken Python).

    Examples
    --------
    >>> tables().logit[143:146], tables().pull[144], tables().gain[144], tables().exp2[128]
    ((-18, 0, 18), 52290, 41722, 92682)
    """
    logit, pull, gain = [], [], []
    with decimal.localcontext(decimal.Context(prec=_PRECISION + 10)):
        ln2, root = Decimal(2).ln(), _root_of_two_pi()
        for i in range(289):
            t = Decimal(i - 144) / 32
            density = (-t * t / 2).exp() / root
            below = _below(t, density)
            h = density / below
            logit.append(max(-4095, min(4095, _round(256 * (below / (1 - below)).ln() / ln2))))
            pull.append(_round(65536 * h))
            gain.append(_round(65536 * h * (h + t)))
        exp2 = [_round(65536 * (Decimal(i) / 256 * ln2).exp()) for i in range(256)]
    made = Tables(tuple(logit), tuple(pull), tuple(gain), tuple(exp2))
    if hashlib.sha256(made.to_bytes()).hexdigest() != SHA256:
        raise RuntimeError("the tables of the probit codec differ from their published hash")
    return made
