"""Orders that come from a seed: positions sorted by (word, position)."""

import numpy as np
from numpy.typing import NDArray

from freezepack.random.checks import check_range
from freezepack.random.raw import words
from freezepack.types import Positions


def smallest_words(key: int, stream: int, start: int, size: int, count: int) -> Positions:
    """Return which `count` of `size` positions have the smallest words.

    Parameters
    ----------
    key, stream : int
        0 to 2**64 - 1. The seeded mask of a tensor uses the tensor's stream + 2**63.
    start : int
        Position in the stream of the first word.
    size : int
        Number of words compared, below 2**32.
    count : int
        Number of positions wanted, 0 to `size`.

    Returns
    -------
    uint32 array, shape (count,)
        Increasing positions, counted from `start`. Equal words are taken in order of position.

    Examples
    --------
    >>> smallest_words(0, 2**63, 0, 8, 3).tolist()
    [1, 3, 4]
    """
    check_range("size", size, 0, 2**32 - 1)
    check_range("count", count, 0, size)
    drawn = np.empty(size, np.uint32)
    words(drawn, key=key, stream=stream, start=start)
    if count in (0, size):
        return np.arange(count, dtype=np.uint32)
    limit = np.partition(drawn, count - 1)[count - 1]
    chosen = drawn < limit
    ties = np.flatnonzero(drawn == limit)
    chosen[ties[: count - np.count_nonzero(chosen)]] = True
    return np.flatnonzero(chosen).astype(np.uint32)


def permutation(n: int, *, seed: int, stream: int) -> NDArray[np.int64]:
    """Return 0 to n - 1 in the order of (word, index).

    Parameters
    ----------
    n : int
        Below 2**32.
    seed, stream : int
        0 to 2**64 - 1. Streams from 2**63 + 2**62 on are for such purposes.

    Returns
    -------
    int64 array, shape (n,)
        The same on every machine.

    Examples
    --------
    >>> permutation(4, seed=0, stream=2**63 + 2**62).tolist()
    [2, 0, 3, 1]
    """
    return seeded_order(n, seed, stream)


def seeded_order(n: int, key: int, stream: int, start: int = 0) -> NDArray[np.int64]:
    """Return 0 to n - 1 in the order of the words from `start` on, equal words by position.

    With a tensor's stream + 2**63 and the start of a unit this is the order in which positions
    of the unit are marked by a seed: formats/generators.md, section 8.

    Examples
    --------
    >>> seeded_order(4, 0, 2**63, start=4).tolist()
    [0, 3, 1, 2]
    """
    check_range("n", n, 0, 2**32 - 1)
    drawn = np.empty(n, np.uint32)
    words(drawn, key=key, stream=stream, start=start)
    return np.argsort(drawn, kind="stable").astype(np.int64)
