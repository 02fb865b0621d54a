"""Bit strings for the codecs: lowest bit of the first byte first, all of them vectorised."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BitArray = NDArray[np.uint8]
"""One element, 0 or 1, for each bit."""

MAX_FIELD = 24
"""Most bits of a field that `read_fields` reads."""


def bit_length(values: IntArray) -> IntArray:
    """Return the bits that each value needs; 0 for 0.

    Parameters
    ----------
    values : int64 array
        0 to 2**53.

    Examples
    --------
    >>> bit_length(np.array([0, 1, 2, 3, 4])).tolist()
    [0, 1, 2, 2, 3]
    """
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def write_unary(values: IntArray) -> BitArray:
    """Return each value as that many zeros and a one.

    Examples
    --------
    >>> write_unary(np.array([2, 0, 1])).tolist()
    [0, 0, 1, 1, 0, 1]
    """
    ends = np.cumsum(values + 1)
    bits = np.zeros(int(ends[-1]) if ends.size else 0, np.uint8)
    bits[ends - 1] = 1
    return bits


def read_unary(bits: BitArray, count: int) -> IntArray:
    """Return the first `count` values written by `write_unary`, or all if there are fewer.

    Examples
    --------
    >>> read_unary(np.array([0, 0, 1, 1, 0, 1]), 2).tolist()
    [2, 0]
    """
    ends = np.flatnonzero(bits)[:count].astype(np.int64)
    return np.diff(ends, prepend=-1) - 1


def write_fields(values: IntArray, widths: IntArray) -> BitArray:
    """Return the low `widths` bits of each value, one field after the other.

    Examples
    --------
    >>> write_fields(np.array([1, 7, 2]), np.array([2, 0, 3])).tolist()
    [1, 0, 0, 1, 0]
    """
    ends = np.cumsum(widths)
    starts = ends - widths
    bits = np.zeros(int(ends[-1]) if ends.size else 0, np.uint8)
    for place in range(int(widths.max(initial=0))):
        wide = widths > place
        bits[starts[wide] + place] = (values[wide] >> place) & 1
    return bits


def read_fields(data: NDArray[np.uint8], starts: IntArray, widths: IntArray) -> IntArray:
    """Return the fields of `widths` bits that begin at bits `starts`.

    Parameters
    ----------
    data : uint8 array
        The bytes; bits past their end read as 0.
    starts : int64 array
        Not beyond the end of `data`.
    widths : int64 array
        0 to `MAX_FIELD`.

    Examples
    --------
    >>> read_fields(np.array([0b1110_0110], np.uint8), np.array([1, 5]), np.array([2, 3])).tolist()
    [3, 7]
    """
    padded = np.concatenate([data, np.zeros(4, np.uint8)]).astype(np.int64)
    first = starts >> 3
    word: IntArray = np.zeros(starts.size, np.int64)
    for byte in range(4):
        word |= padded[first + byte] << (8 * byte)
    fields: NDArray[Any] = (word >> (starts & 7)) & ((1 << widths) - 1)
    return fields
