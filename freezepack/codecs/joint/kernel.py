"""The C++ twin of `reference`: the same bytes, some hundred times faster."""

import ctypes
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack import native
from freezepack.codecs.joint.reference import Levels
from freezepack.codecs.joint.shapes import Depths, Layout

_POINTER = ctypes.c_void_p
_ENCODE = (_POINTER, ctypes.c_uint32, _POINTER, _POINTER, _POINTER, ctypes.c_uint64)
_DECODE = (_POINTER, ctypes.c_uint64, _POINTER, ctypes.c_uint32, _POINTER, _POINTER)
_PRICE = (_POINTER, ctypes.c_uint32, _POINTER, _POINTER, _POINTER)
_NOT_CANONICAL = -3
_MOST = 240
"""Bytes of a position at most: 52 decisions, or 3 of a vector's place, of at most 4 bytes each."""


def encoder() -> Any:
    """Return the C function, or None where the reference has to do."""
    return native.function("fpk_joint_encode", *_ENCODE, restype=ctypes.c_int64)


def decoder() -> Any:
    """Return the C function, or None where the reference has to do."""
    return native.function("fpk_joint_decode", *_DECODE, restype=ctypes.c_int64)


def pricer() -> Any:
    """Return the C function, or None without a kernel."""
    return native.function("fpk_joint_price", *_PRICE, restype=ctypes.c_double)


def encode(
    layouts: Sequence[Layout], levels: Sequence[Levels], bases: Sequence[Depths | None]
) -> bytes:
    """Return the stream; see `reference.encode`."""
    joined = _join(levels)
    table, base = _describe(layouts, bases)
    for capacity in (4 * joined.size + 64, _MOST * joined.size + 64):
        out = np.empty(capacity, np.uint8)
        length = encoder()(
            table.ctypes.data,
            len(layouts),
            joined.ctypes.data,
            base.ctypes.data,
            out.ctypes.data,
            out.size,
        )
        if length >= 0:
            return out[:length].tobytes()
    raise MemoryError(f"no memory to code {joined.size} positions")


def decode(data: bytes, layouts: Sequence[Layout], bases: Sequence[Depths | None]) -> list[Levels]:
    """Return the integers; see `reference.decode`."""
    table, base = _describe(layouts, bases)
    joined = np.zeros(sum(layout.size for layout in layouts), np.int32)
    status = decoder()(
        data, len(data), table.ctypes.data, len(layouts), base.ctypes.data, joined.ctypes.data
    )
    if status == _NOT_CANONICAL:
        raise ValueError("the stream is not as its encoder ends it")
    if status:
        raise MemoryError(f"no memory to decode {joined.size} positions")
    return [joined[first:end] for first, end in _places(layouts)]


def price(
    layouts: Sequence[Layout], levels: Sequence[Levels], bases: Sequence[Depths | None]
) -> tuple[float, list[NDArray[np.float32]]]:
    """Return the bits of all tensors, and for each the bits of five symbols at every position."""
    prices = np.zeros((sum(layout.size for layout in layouts), 5), np.float32)
    bits = _price(layouts, levels, bases, prices.ctypes.data)
    return bits, [prices[first:end].T for first, end in _places(layouts)]


def measure(
    layouts: Sequence[Layout], levels: Sequence[Levels], bases: Sequence[Depths | None]
) -> float:
    """Return the bits of all tensors."""
    return _price(layouts, levels, bases, None)


def _price(
    layouts: Sequence[Layout],
    levels: Sequence[Levels],
    bases: Sequence[Depths | None],
    prices: int | None,
) -> float:
    joined = _join(levels)
    table, base = _describe(layouts, bases)
    bits = pricer()(table.ctypes.data, len(layouts), joined.ctypes.data, base.ctypes.data, prices)
    if bits < 0:
        raise MemoryError(f"no memory to price {joined.size} positions")
    return float(bits)


def _places(layouts: Sequence[Layout]) -> list[tuple[int, int]]:
    ends = list(accumulate(layout.size for layout in layouts))
    return list(pairwise([0, *ends]))


def _join(levels: Sequence[Levels]) -> Levels:
    return np.concatenate([np.zeros(0, np.int32), *levels], dtype=np.int32)


def _describe(
    layouts: Sequence[Layout], bases: Sequence[Depths | None]
) -> tuple[NDArray[np.int64], Depths]:
    """Return nine numbers for each tensor, as csrc/joint.cpp reads them, and all bases."""
    rows = [
        (
            layout.matrix,
            layout.linked.rows,
            layout.linked.columns,
            layout.linked.plane,
            layout.linked.width,
            layout.free.plane,
            layout.free.width,
            layout.other,
            base is not None,
        )
        for layout, base in zip(layouts, bases, strict=True)
    ]
    if all(base is None for base in bases):
        return np.array(rows, np.int64).reshape(-1, 9), np.zeros(0, np.int16)
    parts = [
        np.zeros(layout.size, np.int16) if base is None else base
        for layout, base in zip(layouts, bases, strict=True)
    ]
    return np.array(rows, np.int64).reshape(-1, 9), np.concatenate(parts)
