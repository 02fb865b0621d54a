"""Bases drawn by NumPy alone: the reference that every other back end is compared with."""

import numpy as np

from freezepack.random.draws import normal_integers, truncated_integers, uniform_integers
from freezepack.random.narrow import narrow
from freezepack.random.philox import make_words
from freezepack.random.tiles import TILE, sum_tiles
from freezepack.types import Draw, DType, Init, Positions, RawArray

CHUNK = 1 << 16
"""Elements made at a time: the scratch memory stays in the second-level cache."""


def fill_reference(out: RawArray, dtype: DType, key: int, init: Init, start: int) -> None:
    """Write elements `start` to `start + out.size - 1` of a base into `out`, unchecked."""
    for begin in range(0, out.size, CHUNK):
        part = out[begin : begin + CHUNK]
        part[:] = _make(dtype, key, init, start + begin, part.size)


def rebuild_reference(  # noqa: PLR0917
    out: RawArray,
    dtype: DType,
    key: int,
    init: Init | None,
    start: int,
    positions: Positions,
    values: RawArray,
    digest: bool,
) -> int:
    """Write base and patch into `out`, unchecked, and return the sum of the digest's tiles."""
    if init is not None:
        if is_zeros(init):
            out.view(np.uint8).fill(0)
        elif init.draw == Draw.constant:
            out[:] = narrow_bits(init.bits, dtype)
        else:
            fill_reference(out, dtype, key, init, start)
    out[positions] = values
    return sum_tiles(out.view(np.uint8), start * dtype.itemsize // TILE) if digest else 0


def is_zeros(init: Init) -> bool:
    """Return whether every element of the base is +0, which any element type has."""
    return init.draw == Draw.constant and init.bits == 0


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
