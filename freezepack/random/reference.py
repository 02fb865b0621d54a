"""Bases drawn by NumPy alone: the reference that every other back end is compared with."""

import numpy as np

from freezepack.random.draws import normal_integers, truncated_integers, uniform_integers
from freezepack.random.narrow import narrow
from freezepack.random.philox import make_words
from freezepack.types import Draw, DType, Init, RawArray

CHUNK = 1 << 16
"""Elements made at a time: the scratch memory stays in the second-level cache."""


def fill_reference(out: RawArray, dtype: DType, key: int, init: Init, start: int) -> None:
    """Write elements `start` to `start + out.size - 1` of a base into `out`, unchecked."""
    for begin in range(0, out.size, CHUNK):
        part = out[begin : begin + CHUNK]
        part[:] = _make(dtype, key, init, start + begin, part.size)


def _make(dtype: DType, key: int, init: Init, start: int, count: int) -> RawArray:
    if init.draw == Draw.sign:
        return _make_signs(dtype, key, init, start, count)
    words = make_words(key, init.stream, start, count)
    if init.draw == Draw.uniform:
        k = uniform_integers(words)
    elif init.draw == Draw.normal:
        k = normal_integers(words)
    else:
        k = truncated_integers(words, init.tail)
    # The conversion is exact (abs(k) < 2**24); the product is the only rounding.
    values = k.astype(np.float32)
    values *= init.factor
    return narrow(values.view(np.uint32), dtype)


def _make_signs(dtype: DType, key: int, init: Init, start: int, count: int) -> RawArray:
    first = start // 32
    words = make_words(key, init.stream, first, (start + count - 1) // 32 + 1 - first)
    skip = start - 32 * first
    bits = np.unpackbits(words.view(np.uint8), count=skip + count, bitorder="little")
    values: RawArray = bits[skip:].astype(dtype.raw)
    values <<= dtype.raw.type(8 * dtype.itemsize - 1)
    values |= narrow_bits(init.bits, dtype)
    return values


def narrow_bits(bits: int, dtype: DType) -> np.unsignedinteger:
    """Return one float32 pattern as a pattern of `dtype`."""
    pattern: np.unsignedinteger = narrow(np.array([bits], np.uint32), dtype)[0]
    return pattern
