"""The C++ twin of the `gaps` codec; both functions give None where the reference has to work."""

import ctypes
from typing import Any

import numpy as np

from freezepack.native import function
from freezepack.types import Positions

_TEXT = ctypes.c_char_p
_POINTER = ctypes.c_void_p
_PADDING = bytes(256)
_BYTE = ctypes.c_char
_DECODE = (_TEXT, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32, _POINTER)


def encode(positions: Positions, size: int) -> bytes | None:
    """Return the section of 1 to `size` // 2 increasing positions."""
    call = function(
        "fpk_gaps_encode",
        _POINTER,
        ctypes.c_uint32,
        ctypes.c_uint32,
        _POINTER,
        restype=ctypes.c_uint64,
    )
    if call is None:
        return None
    source = np.ascontiguousarray(positions, np.uint32)
    out = np.zeros(8 * source.size + 16, np.uint8)
    length: Any = call(source.ctypes.data, source.size, size, out.ctypes.data)
    return out[:length].tobytes()


def decode(data: memoryview, count: int, size: int) -> Positions | None:
    """Return the trained positions; None also for a flaw, which the reference then names."""
    call = function("fpk_gaps_positions", *_DECODE, restype=ctypes.c_int32)
    if call is None:
        return None
    padded = bytes(data) + _PADDING
    out = np.empty(count, np.uint32)
    # `out.ctypes` takes longer than a small mask.
    place = ctypes.byref(_BYTE.from_buffer(out.data))
    return out if call(padded, len(data), count, size, place) else None
