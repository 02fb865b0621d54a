"""Bases drawn by the C++ kernel: `freezepack/native/csrc/generate.cpp`."""

from collections.abc import Callable
from ctypes import c_int32, c_uint32, c_uint64, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack import native
from freezepack.random.reference import narrow_bits
from freezepack.types import Draw, DType, Init, RawArray

Fill = Callable[[RawArray, DType, int, Init, int], None]
Words = Callable[[NDArray[np.uint32], int, int, int], None]

_PLACE = (c_void_p, c_uint64, c_uint64, c_uint64, c_uint64)  # out, start, count, key, stream


def find_fill() -> Fill | None:
    """Return a function like `reference.fill_reference`, or None without a kernel."""
    draw = native.function(
        "fpk_fill", *_PLACE, c_uint32, c_uint32, c_uint32, c_uint32, restype=c_int32
    )
    sign = native.function("fpk_fill_sign", *_PLACE, c_uint32, c_uint64, restype=c_int32)
    if draw is None or sign is None:
        return None

    def fill(out: RawArray, dtype: DType, key: int, init: Init, start: int) -> None:
        place = (out.ctypes.data, start, out.size, key, init.stream)
        if init.draw == Draw.sign:
            _check(sign(*place, dtype.itemsize, int(narrow_bits(init.bits, dtype))))
        else:
            _check(draw(*place, init.draw, dtype, init.bits, init.tail))

    return fill


def find_words() -> Words | None:
    """Return a function that writes words, or None without a kernel."""
    words = native.function("fpk_words", *_PLACE)
    if words is None:
        return None

    def make(out: NDArray[np.uint32], key: int, stream: int, start: int) -> None:
        words(out.ctypes.data, start, out.size, key, stream)

    return make


def _check(code: Any) -> None:
    if code != 0:
        raise RuntimeError(f"the kernel refused a fill with code {code}: this is a defect")
