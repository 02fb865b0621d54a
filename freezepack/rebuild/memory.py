"""Memory for tensors, taken so that page faults do not cost more than what fills it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from freezepack.types import RawArray

_LARGE = 1 << 22
"""Bytes from which NumPy asks the system for huge pages."""
_BLOCK = 1 << 25
"""Most bytes of small arrays that share memory, and live as long as any of them."""
_LINE = 64


def empty_arrays(forms: Sequence[tuple[int, "np.dtype[Any]"]]) -> list[RawArray]:
    """Return arrays of the given sizes and types, of any content.

    Large ones have memory of their own. Small ones that come after each other share some, because
    only large pieces get huge pages: filling fresh memory takes a fault for each page.

    Examples
    --------
    >>> a, b = empty_arrays([(3, np.dtype("<u4")), (5, np.dtype("u1"))])
    >>> a.size, b.dtype.name
    (3, 'uint8')
    """
    outs: list[RawArray] = []
    block = np.empty(0, np.uint8)
    sizes = [size * dtype.itemsize for size, dtype in forms]
    for number, (size, dtype) in enumerate(forms):
        nbytes = sizes[number]
        if nbytes >= _LARGE:
            outs.append(np.empty(size, dtype))
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
    """Return bytes that begin with a line of the cache."""
    block = np.empty(nbytes + _LINE, np.uint8)
    skip = -block.ctypes.data % _LINE
    return block[skip : skip + nbytes]
