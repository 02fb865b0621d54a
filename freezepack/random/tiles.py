"""Sums of the digest's tiles, reference in NumPy (formats/generators.md, section 9)."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from freezepack.random.philox import make_words

TILE = 4096
"""Bytes of a tile; the last one of a tensor is padded with zeros."""
CHUNK = 64
"""Tiles that are summed at a time."""
MODULUS = 2**64


@cache
def key_words() -> NDArray[np.uint32]:
    """Return the 1,024 words of key 0, stream 2**64 - 1."""
    keys = make_words(0, MODULUS - 1, 0, TILE // 4)
    keys.setflags(write=False)
    return keys


def sum_tiles(view: NDArray[np.uint8], first_tile: int) -> int:
    """Sum over tiles of fin(H_t + (t + 1) * 0x9e3779b97f4a7c15), modulo 2**64.

    Parameters
    ----------
    view : uint8 array, shape (n,)
        Whole tiles, or up to the end of the tensor.
    first_tile : int
        Number of the first tile.

    Examples
    --------
    >>> hex(sum_tiles(np.frombuffer(b"abc", np.uint8), 0))
    '0x243c125aa37010a4'
    """
    total = 0
    for begin in range(0, view.size, CHUNK * TILE):
        part = view[begin : begin + CHUNK * TILE]
        padding = -part.size % TILE
        if padding:
            part = np.concatenate([part, np.zeros(padding, np.uint8)])
        low, high = _halves(part)
        sums = part.view("<u8").reshape(-1, TILE // 8) + low * high
        start = first_tile + begin // TILE + 1
        numbers = np.arange(sums.shape[0], dtype=np.uint64) + np.uint64(start)
        z = sums.sum(axis=1, dtype=np.uint64) + numbers * np.uint64(0x9E3779B97F4A7C15)
        total += int(_finish(z).sum(dtype=np.uint64))
    return total % MODULUS


def _halves(part: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the two factors of each word: its halves plus those of the key, modulo 2**32."""
    # Adding in uint32 wraps modulo 2**32 by itself.
    factors = part.view("<u4").reshape(-1, TILE // 4) + key_words()
    return factors[:, 0::2].astype(np.uint64), factors[:, 1::2].astype(np.uint64)


def _finish(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z
