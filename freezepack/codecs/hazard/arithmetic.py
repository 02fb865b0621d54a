"""Logarithms and probabilities in integers: formats/hazard.md, section 4.

These functions are called for every decision and take plain ints; their arguments are in range by
construction and not checked.
"""

from freezepack.codecs.hazard.tables import tables

_LOG2, _HIT, _SQUASH, CALIBRATION, RATE = tables()


def clamp(value: int, low: int, high: int) -> int:
    """Return the number nearest to `value` between `low` and `high`.

    Examples
    --------
    >>> clamp(70000, 1, 65535)
    65535
    """
    return low if value < low else min(value, high)


def log2_fixed(value: int) -> int:
    """Return log2 of `value` >= 1 in units of 1/256.

    Examples
    --------
    >>> log2_fixed(4096), log2_fixed(3)
    (3072, 406)
    """
    top = value.bit_length() - 1
    below = value >> (top - 8) if top >= 8 else value << (8 - top)
    return 256 * top + _LOG2[below & 255]


def stretch(p: int) -> int:
    """Return the logit of p / 65536, 1 to 65535, in units of 1/256 bit.

    Examples
    --------
    >>> stretch(32768), stretch(1)
    (0, -4095)
    """
    return log2_fixed(p) - log2_fixed(65536 - p)


def squash(z: int) -> int:
    """Return 2**22 times the logistic function of z / 256 bits, z from -4095 to 4095.

    Examples
    --------
    >>> squash(0), squash(-4095)
    (2097152, 64)
    """
    y = z + 4096
    i, f = y >> 5, y & 31
    return (_SQUASH[i] * (32 - f) + _SQUASH[i + 1] * f) >> 5


def hit_probability(rate: int) -> int:
    """Return 65536 * (1 - exp(-rate / 2**24)), 1 to 65535: at least one event is there.

    Examples
    --------
    >>> hit_probability(1 << 24), hit_probability(0)
    (41427, 1)
    """
    if rate < 1 << 18:
        v = rate >> 8
        return 1 if v == 0 else v - (v * v >> 17)
    if rate >= 1 << 27:
        return 65535
    i, f = rate >> 19, rate & ((1 << 19) - 1)
    return clamp(_HIT[i] + ((_HIT[i + 1] - _HIT[i]) * f >> 19), 1, 65535)


def conditional(p: int, q: int) -> int:
    """Return the probability of a part (p) given that the whole (q) is not empty.

    Examples
    --------
    >>> conditional(16384, 32768)
    32768
    """
    return clamp((p << 16) // q, 1, 65535)
