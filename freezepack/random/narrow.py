"""float32 patterns to the patterns of other float types, on integers (generators.md, section 7).

Integer arithmetic depends neither on a processor's flush-to-zero mode nor on how a library rounds.
"""

import numpy as np
from numpy.typing import NDArray

from freezepack.types import DType, RawArray

_U = np.uint32


def narrow(patterns: NDArray[np.uint32], dtype: DType) -> RawArray:
    """Return finite float32 patterns as patterns of `dtype`: one rounding, to nearest even.

    Parameters
    ----------
    patterns : uint32 array
        Patterns of finite float32 values.
    dtype : DType
        float32 (nothing happens), float16 or bfloat16 (rounded once, too large gives infinity)
        or float64 (exact).

    Examples
    --------
    >>> one_third = np.array([0x3EAAAAAB], np.uint32)
    >>> [hex(narrow(one_third, t)[0]) for t in (DType.bfloat16, DType.float16, DType.float64)]
    ['0x3eab', '0x3555', '0x3fd5555560000000']
    """
    if dtype == DType.float32:
        return patterns
    if dtype == DType.bfloat16:
        return _to_bfloat16(patterns)
    if dtype == DType.float16:
        return _to_float16(patterns)
    return _to_float64(patterns)


def _to_bfloat16(x: NDArray[np.uint32]) -> RawArray:
    rounded: RawArray = (x + _U(0x7FFF) + (x >> _U(16) & _U(1))) >> _U(16)
    return rounded.astype(np.uint16)


def _to_float16(x: NDArray[np.uint32]) -> RawArray:
    sign = x >> _U(16) & _U(0x8000)
    size = x & _U(0x7FFFFFFF)
    # Below 2**-14 the result is subnormal: the significand is shifted to units of 2**-24. A shift
    # of 25 or more leaves less than half a unit, so 31 stands for all larger ones.
    small = size < _U(0x38800000)
    exponent = (size >> _U(23)).view(np.int32)
    shift = np.minimum(126 - exponent, 31).astype(_U)
    shift[~small] = 13
    body = np.where(small, size & _U(0x7FFFFF) | _U(0x800000), size - _U(0x38000000))
    half = (_U(1) << (shift - _U(1))) - _U(1)
    rounded: RawArray = (body + half + (body >> shift & _U(1))) >> shift
    rounded[size >= _U(0x47800000)] = 0x7C00
    rounded |= sign
    return rounded.astype(np.uint16)


def _to_float64(x: NDArray[np.uint32]) -> RawArray:
    wide = x.astype(np.uint64)
    sign = (wide & np.uint64(0x80000000)) << np.uint64(32)
    size = wide & np.uint64(0x7FFFFFFF)
    body: RawArray = (size << np.uint64(29)) + np.uint64(896 << 52)
    low = np.flatnonzero(size < np.uint64(0x800000))
    # Zero stays zero; a float32 subnormal, f * 2**-149, is a normal number in float64.
    body[low] = [_widen_subnormal(int(size[i])) for i in low]
    body |= sign
    return body


def _widen_subnormal(fraction: int) -> int:
    top = fraction.bit_length() - 1
    return 0 if top < 0 else (top + 1023 - 149 << 52) | (fraction << 52 - top) & (2**52 - 1)
