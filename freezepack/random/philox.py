"""The words of Philox4x32-10, reference in NumPy (formats/generators.md, section 2)."""

import numpy as np
from numpy.typing import NDArray

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_STEPS = (0x9E3779B9, 0xBB67AE85)


def make_words(key: int, stream: int, start: int, count: int) -> NDArray[np.uint32]:
    """Return words `start` to `start + count - 1` of a stream.

    Parameters
    ----------
    key, stream : int
        0 to 2**64 - 1.
    start : int
        Position of the first word; word i is word i mod 4 of block i div 4.
    count : int
        Number of words. About 80 bytes of scratch memory per four words are used.

    Returns
    -------
    uint32 array, shape (count,)

    Examples
    --------
    >>> [hex(word) for word in make_words(0, 0, 0, 2)]
    ['0x6627e8d5', '0xe169c58d']
    """
    first = start // 4
    blocks = -(-(start + count) // 4) - first
    words = np.empty((blocks, 4), np.uint32)
    # Rows of x are counter words 0 and 2, rows of y are 1 and 3: a round treats them alike.
    x = np.empty((2, blocks), np.uint64)
    y = np.empty((2, blocks), np.uint64)
    product = np.empty((2, blocks), np.uint64)
    counter = np.arange(blocks, dtype=np.uint64) + np.uint64(first)
    x[0] = counter & _LOW
    y[0] = counter >> _HALF
    x[1] = stream & 0xFFFFFFFF
    y[1] = stream >> 32
    halves = (key & 0xFFFFFFFF, key >> 32)
    for turn in range(10):
        # The key schedule wraps modulo 2**32.
        bumped = [[(halves[i] + turn * _STEPS[i]) & 0xFFFFFFFF] for i in range(2)]
        np.multiply(x, _MULTIPLIERS, out=product)
        np.right_shift(product[::-1], _HALF, out=x)
        x ^= y
        x ^= np.array(bumped, np.uint64)
        np.bitwise_and(product[::-1], _LOW, out=y)
    words[:, 0::2] = x.T
    words[:, 1::2] = y.T
    skip = start - 4 * first
    return words.reshape(-1)[skip : skip + count]
