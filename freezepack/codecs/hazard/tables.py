"""The five integer tables of the adaptive codecs, made from their rules in decimal arithmetic."""

import decimal
import hashlib
from decimal import Decimal
from functools import cache
from typing import NamedTuple

import numpy as np

SHA256 = "4007e20290912326fb909be9f647efa66fdc38da99e2d89d1c1ebb2866266512"


class Tables(NamedTuple):
    """The tables of formats/hazard.md, section 3, as tuples of plain integers."""

    log2: tuple[int, ...]
    """256 entries: round(256 log2(1 + i/256))."""
    hit: tuple[int, ...]
    """257 entries: round(65536 (1 - exp(-i/32))), at most 65535."""
    squash: tuple[int, ...]
    """258 entries: 2**22 times the logistic function of (i - 128)/8 bits; the last one twice."""
    calibration: tuple[int, ...]
    """26 entries: 65536 times the logistic function of i - 16 bits, the start of a calibration."""
    rate: tuple[int, ...]
    """128 entries: 65536 // (i + 6), the adaptation rate after i events."""

    def to_bytes(self) -> bytes:
        """Return the tables as formats/hazard.md lays them out: uint16, but `squash` uint32."""
        wide = {"squash"}
        return b"".join(
            np.array(table, "<u4" if name in wide else "<u2").tobytes()
            for name, table in self._asdict().items()
        )


def _round(value: Decimal) -> int:
    return int(value.to_integral_value(decimal.ROUND_HALF_UP))


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


@cache
def tables() -> Tables:
    """Return the tables; no C library function takes part, so they are equal everywhere.

    Raises
    ------
    RuntimeError
        If the tables do not have the published SHA-256 (a broken Python).

    Examples
    --------
    >>> tables().log2[:4], tables().rate[:3]
    ((0, 1, 3, 4), (10922, 9362, 8192))
    """
    with decimal.localcontext(decimal.Context(prec=40)):
        ln2 = Decimal(2).ln()
        log2 = [_round(256 * (1 + Decimal(i) / 256).ln() / ln2) for i in range(256)]
        hit = [min(65535, _round(65536 * (1 - (Decimal(-i) / 32).exp()))) for i in range(257)]
        logistic = [_round(2**22 / (1 + (Decimal(128 - i) / 8 * ln2).exp())) for i in range(257)]
        calibration = [_round(65536 / (1 + Decimal(2) ** (16 - i))) for i in range(26)]
    squash = [_clamp(value, 64, 2**22 - 64) for value in logistic]
    made = Tables(
        tuple(log2),
        tuple(hit),
        (*squash, squash[-1]),
        tuple(_clamp(value, 2, 65472) for value in calibration),
        tuple(65536 // (i + 6) for i in range(128)),
    )
    if hashlib.sha256(made.to_bytes()).hexdigest() != SHA256:
        raise RuntimeError("the tables of the hazard codec differ from their published hash")
    return made
