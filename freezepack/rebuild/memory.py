"""Memory for tensors, taken so that page faults do not cost more than what fills it.

NumPy asks the system for huge pages in pieces of 4 MiB and more; only whole, aligned pages can be
huge. Measured on a ResNet-18 (45 MB): 5,270 faults with an array for each tensor, 190 with blocks.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from freezepack.types import RawArray

_LARGE = 1 << 24
"""Bytes of an array that has memory of its own."""
_BLOCK = 1 << 26
"""Most bytes of smaller arrays that share memory, and live as long as any of them."""
_LINE = 1 << 6
_HUGE_PAGE = 1 << 21


def empty_arrays(forms: Sequence[tuple[int, "np.dtype[Any]"]]) -> list[RawArray]:
    """Return arrays of the given sizes and types, of any content.

    Examples
    --------
    >>> a, b = empty_arrays([(3, np.dtype("<u4")), (5, np.dtype("u1"))])
    >>> a.size, b.dtype.name
    (3, 'uint8')
    """
    outs: list[RawArray] = []
    block = np.empty(0, np.uint8)
    sizes = [size * dtype.itemsize for size, dtype in forms]
    for number, (_, dtype) in enumerate(forms):
        nbytes = sizes[number]
        if nbytes >= _LARGE:
            outs.append(_aligned(nbytes).view(dtype))
            continue
        if nbytes > block.size:
            block = _aligned(_block_size(sizes[number:]))
        outs.append(block[:nbytes].view(dtype))
        block = block[-(-nbytes // _LINE) * _LINE :]
    return outs


def _block_size(sizes: Sequence[int]) -> int:
    """Return the bytes of the small arrays at the beginning of `sizes`, up to a block of them."""
    total = 0
    for nbytes in sizes:
        if nbytes < _LARGE:
            room = -(-nbytes // _LINE) * _LINE
            if total and total + room > _BLOCK:
                break
            total += room
    return total


def _aligned(nbytes: int) -> RawArray:
    """Return bytes that begin with a huge page, or with a line of the cache if they are few."""
    boundary = _HUGE_PAGE if nbytes > 2 * _HUGE_PAGE else _LINE
    # What is never touched takes addresses and no memory.
    block = np.empty(nbytes + boundary, np.uint8)
    skip = -block.ctypes.data % boundary
    return block[skip : skip + nbytes]
