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
from freezepack.random.philox import make_words
from freezepack.types import TensorSpec

TILE = 4096
"""Bytes of a tile; the last one of a tensor is padded with zeros."""

_CHUNK = 64
"""Tiles that the reference takes at a time."""
_MODULUS = 2**64
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
    work = kernel or _sum_reference

    def part(begin: int, end: int) -> int:
        return work(view[begin * TILE : end * TILE], first_tile + begin)

    tiles = -(-view.size // TILE)
    total: int = sum(native.map_tiles(part, tiles, _CHUNK, _LEAST_TILES))
    return total % _MODULUS


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


@cache
def _key_words() -> NDArray[np.uint32]:
    """Return the 1,024 words of key 0, stream 2**64 - 1."""
    keys = make_words(0, _MODULUS - 1, 0, TILE // 4)
    keys.setflags(write=False)
    return keys


def _sum_reference(view: NDArray[np.uint8], first_tile: int) -> int:
    """Sum over tiles of fin(H_t + (t + 1) * 0x9e3779b97f4a7c15) in NumPy, modulo 2**64."""
    total = 0
    for begin in range(0, view.size, _CHUNK * TILE):
        part = view[begin : begin + _CHUNK * TILE]
        padding = -part.size % TILE
        if padding:
            part = np.concatenate([part, np.zeros(padding, np.uint8)])
        low, high = _halves(part)
        sums = part.view("<u8").reshape(-1, TILE // 8) + low * high
        start = first_tile + begin // TILE + 1
        numbers = np.arange(sums.shape[0], dtype=np.uint64) + np.uint64(start)
        z = sums.sum(axis=1, dtype=np.uint64) + numbers * np.uint64(0x9E3779B97F4A7C15)
        total += int(_finish(z).sum(dtype=np.uint64))
    return total % _MODULUS


def _halves(part: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the two factors of each word: its halves plus those of the key, modulo 2**32."""
    # Adding in uint32 wraps modulo 2**32 by itself.
    factors = part.view("<u4").reshape(-1, TILE // 4) + _key_words()
    return factors[:, 0::2].astype(np.uint64), factors[:, 1::2].astype(np.uint64)


def _finish(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def _find_kernel() -> Callable[[NDArray[np.uint8], int], int] | None:
    found = native.function("fpk_digest", c_void_p, c_uint64, c_uint64, c_void_p, restype=c_uint64)
    if found is None:
        return None

    def work(view: NDArray[np.uint8], first_tile: int) -> int:
        return int(found(view.ctypes.data, view.size, first_tile, _key_words().ctypes.data))

    return work
