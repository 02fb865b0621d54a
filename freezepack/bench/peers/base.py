"""What every peer promises, and the form in which it gets a mask."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Sizes = Sequence[int]
"""Positions of each tensor, in file order."""
Parts = Sequence[NDArray[np.uint32]]
"""Trained positions of each tensor, increasing."""


class Peer(Protocol):
    """A coder of masks that is not ours."""

    def encode(self, parts: Parts, sizes: Sizes) -> bytes:
        """Return everything a decoder needs beside the sizes."""
        ...

    def decode(self, data: bytes, sizes: Sizes) -> list[NDArray[np.uint32]]:
        """Return the trained positions of each tensor."""
        ...


def to_gaps(positions: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the number of frozen positions before each trained one.

    Examples
    --------
    >>> to_gaps(np.array([2, 3, 7], np.uint32)).tolist()
    [2, 0, 3]
    """
    gaps = np.diff(positions.astype(np.int64), prepend=-1) - 1
    return gaps.astype(np.uint32)


def from_gaps(gaps: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the positions that have these gaps.

    Examples
    --------
    >>> from_gaps(np.array([2, 0, 3], np.uint32)).tolist()
    [2, 3, 7]
    """
    return (np.cumsum(gaps.astype(np.int64) + 1) - 1).astype(np.uint32)


def join(parts: Parts, sizes: Sizes) -> NDArray[np.uint32]:
    """Return positions over all tensors behind one another.

    Examples
    --------
    >>> join([np.array([1], np.uint32), np.array([0], np.uint32)], [4, 4]).tolist()
    [1, 4]
    """
    starts = np.cumsum([0, *sizes[:-1]])
    shifted = [part + np.uint32(start) for part, start in zip(parts, starts, strict=True)]
    return np.concatenate(shifted)


def split(positions: NDArray[np.uint32], sizes: Sizes) -> list[NDArray[np.uint32]]:
    """Return the positions of each tensor, given those over all of them.

    Examples
    --------
    >>> [part.tolist() for part in split(np.array([1, 4], np.uint32), [4, 4])]
    [[1], [0]]
    """
    bounds = np.cumsum([0, *sizes])
    cuts = np.searchsorted(positions, bounds)
    return [
        positions[a:b] - np.uint32(start)
        for (a, b), start in zip(pairwise(cuts.tolist()), bounds[:-1], strict=True)
    ]
