"""Digests of tensors: error detection, not a signature (formats/generators.md, section 9).

A digest is a sum over tiles of 4,096 bytes, so tiles may be summed in any order, by several
threads or devices, while the tensor is being rebuilt.
"""

from collections.abc import Callable, Iterable
from ctypes import c_uint64, c_void_p
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack import native
from freezepack.random.kernel import find_address, find_key_address
from freezepack.random.tiles import CHUNK, MODULUS, TILE, sum_tiles
from freezepack.types import TensorSpec

_LEAST_TILES = 1 << 11
"""Tiles worth a thread: 8 MiB."""

Data = bytes | bytearray | memoryview | NDArray[Any]


def digest(data: Data) -> int:
    """Return the digest of a tensor's bytes, 0 to 2**64 - 1.

    Parameters
    ----------
    data : bytes-like or array
        Little-endian elements in C order. An array must be contiguous.

    Examples
    --------
    >>> hex(digest(b"abc"))
    '0x243c125aa37010a4'
    >>> digest(b"")
    0
    """
    return digest_tiles(data, 0)


def digest_tiles(data: Data, first_tile: int, backend: str | None = None) -> int:
    """Return the part of a tensor's digest that comes from some of its tiles.

    The parts of all tiles add up to the digest modulo 2**64.

    Parameters
    ----------
    data : bytes-like or array
        Whole tiles, or up to the end of the tensor.
    first_tile : int
        Number of the first tile: its byte offset in the tensor divided by 4,096.
    backend : {"native", "numpy"}
        Force one implementation; None takes the kernel where there is one.

    Raises
    ------
    ValueError
        If an array is not contiguous.

    Examples
    --------
    >>> parts = [digest_tiles(bytes(4096), 0), digest_tiles(bytes(1000), 1)]
    >>> sum(parts) % 2**64 == digest(bytes(5096))
    True
    """
    view = _view_bytes(data)
    kernel = None if backend == "numpy" else _find_kernel()
    if backend == "native" and kernel is None:
        raise ValueError(f"backend 'native' is not available: {native.status()}")
    work = kernel or sum_tiles

    def part(begin: int, end: int) -> int:
        return work(view[begin * TILE : end * TILE], first_tile + begin)

    tiles = -(-view.size // TILE)
    total: int = sum(native.map_tiles(part, tiles, CHUNK, _LEAST_TILES))
    return total % MODULUS


def content_digest(items: Iterable[tuple[TensorSpec, int]]) -> int:
    """Return the digest that identifies the tensors of a base.

    Parameters
    ----------
    items : iterable of (spec, digest)
        Every tensor and the digest of its bytes, in file order.

    Examples
    --------
    >>> from freezepack.types import DType
    >>> spec = TensorSpec("w", (1, 3), DType.uint8)
    >>> hex(content_digest([(spec, digest(b"abc"))]))
    '0xf1e348f9a796863b'
    """
    text = bytearray()
    for spec, value in items:
        name = spec.name.encode()
        text += _varint(len(name)) + name
        text.append(spec.dtype)
        text += _varint(len(spec.shape))
        for length in spec.shape:
            text += _varint(length)
        text += value.to_bytes(8, "little")
    return digest(bytes(text))


def _varint(value: int) -> bytes:
    """Return unsigned LEB128: seven bits a byte, lowest first, the top bit on all but the last."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _view_bytes(data: Data) -> NDArray[np.uint8]:
    if isinstance(data, np.ndarray):
        if not data.flags.c_contiguous:
            raise ValueError("data is not contiguous: digest a contiguous copy")
        return data.reshape(-1).view(np.uint8)
    return np.frombuffer(data, np.uint8)


def _find_kernel() -> Callable[[NDArray[np.uint8], int], int] | None:
    return None if native.library() is None else _bind_kernel()


@cache
def _bind_kernel() -> Callable[[NDArray[np.uint8], int], int] | None:
    found = native.function("fpk_digest", c_void_p, c_uint64, c_uint64, c_void_p, restype=c_uint64)
    if found is None:
        return None

    def work(view: NDArray[np.uint8], first_tile: int) -> int:
        return int(found(find_address(view), view.size, first_tile, find_key_address()))

    return work
