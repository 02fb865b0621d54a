"""Bases drawn by the C++ kernel: `freezepack/native/csrc/generate.cpp` and `rebuild.cpp`.

Networks have many small tensors, so what a call costs besides the work is kept low.
"""

from collections.abc import Callable
from ctypes import addressof, byref, c_char, c_int32, c_uint32, c_uint64, c_void_p
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack import native
from freezepack.random.reference import is_zeros
from freezepack.random.tiles import key_words
from freezepack.types import DType, Init, Positions, RawArray

Fill = Callable[[RawArray, DType, int, Init, int], None]
Rebuild = Callable[
    [RawArray, DType, int, Init | None, int, Positions | None, RawArray | None, bool], int
]
Words = Callable[[NDArray[np.uint32], int, int, int], None]

_PLACE = (c_void_p, c_uint64, c_uint64, c_uint64, c_uint64)  # out, start, count, key, stream
_DRAW = (c_uint32, c_uint32, c_uint32, c_uint32)  # draw, dtype, bits, tail
_PATCH = (c_void_p, c_void_p, c_uint64)  # positions, values, trained
_ZEROS, _KEEP = 0xFFFE, 0xFFFF
_NOTHING = c_char * 0


def find_fill() -> Fill | None:
    """Return a function like `reference.fill_reference`, or None without a kernel."""
    return None if native.library() is None else _bind_fill()


@cache
def _bind_fill() -> Fill | None:
    draw = native.function("fpk_fill", *_PLACE, *_DRAW, restype=c_int32)
    if draw is None:
        return None

    def fill(out: RawArray, dtype: DType, key: int, init: Init, start: int) -> None:
        place = (find_address(out), start, out.size, key, init.stream)
        _check(draw(*place, init.draw, dtype, init.bits, init.tail))

    return fill


def find_rebuild() -> Rebuild | None:
    """Return a function like `reference.rebuild_reference`, or None without a kernel.

    It takes None for the positions and values of no patch.
    """
    return None if native.library() is None else _bind_rebuild()


@cache
def _bind_rebuild() -> Rebuild | None:
    work = native.function(
        "fpk_rebuild", *_PLACE, *_DRAW, *_PATCH, c_void_p, c_void_p, restype=c_int32
    )
    if work is None:
        return None

    def rebuild(  # noqa: PLR0917
        out: RawArray,
        dtype: DType,
        key: int,
        init: Init | None,
        start: int,
        positions: Positions | None,
        values: RawArray | None,
        digest: bool,
    ) -> int:
        if init is None:
            draw: tuple[int, ...] = (_KEEP, dtype, 0, 0)
        elif is_zeros(init):
            draw = (_ZEROS, dtype, 0, 0)
        else:
            draw = (init.draw, dtype, init.bits, init.tail)
        total = c_uint64(0)
        place = (find_address(out), start, out.size, key, init.stream if init else 0)
        patch: tuple[int | None, int | None, int] = (None, None, 0)
        if positions is not None and values is not None:
            patch = (find_address(positions), find_address(values), positions.size)
        sums = (find_key_address(), byref(total)) if digest else (None, None)
        _check(work(*place, *draw, *patch, *sums))
        return total.value

    return rebuild


def find_words() -> Words | None:
    """Return a function that writes words, or None without a kernel."""
    return None if native.library() is None else _bind_words()


@cache
def _bind_words() -> Words | None:
    words = native.function("fpk_words", *_PLACE)
    if words is None:
        return None

    def make(out: NDArray[np.uint32], key: int, stream: int, start: int) -> None:
        words(find_address(out), start, out.size, key, stream)

    return make


def find_address(array: Any) -> int:
    """Return where a contiguous array begins: `array.ctypes.data`, at a third of its cost."""
    if array.size and array.flags.writeable:
        return addressof(_NOTHING.from_buffer(array))
    address: int = array.__array_interface__["data"][0]
    return address


@cache
def find_key_address() -> int:
    """Return where the words are that the digest needs."""
    return find_address(key_words())  # they stay where they are: `key_words` keeps them


def _check(code: Any) -> None:
    if code != 0:
        raise RuntimeError(f"the kernel refused a fill with code {code}: this is a defect")
