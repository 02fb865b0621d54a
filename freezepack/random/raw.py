"""Bases and words into raw arrays: checks once, then the kernel or the reference, in threads."""

from collections.abc import Callable
from operator import index
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from freezepack import native
from freezepack.errors import FreezepackError
from freezepack.random.checks import check_patch, check_place, check_range
from freezepack.random.init import check_init
from freezepack.random.kernel import Fill, Words, find_fill, find_rebuild, find_words
from freezepack.random.philox import make_words
from freezepack.random.reference import (
    CHUNK,
    fill_reference,
    is_zeros,
    narrow_bits,
    rebuild_reference,
)
from freezepack.random.tiles import TILE
from freezepack.types import Draw, DType, Init, Positions, RawArray

_NATIVE_TILE = 4096
T = TypeVar("T")


def fill_raw(
    out: RawArray,
    dtype: DType,
    *,
    key: int,
    init: Init,
    start: int = 0,
    backend: str | None = None,
) -> None:
    """Write a slice of a seeded base into `out`, as bits.

    Parameters
    ----------
    out : raw array, shape (n,)
        Overwritten with elements `start` to `start + n - 1`. Contiguous, dtype `dtype.raw`.
    dtype : DType
        float32, float16, bfloat16 or float64.
    key : int
        The seed, 0 to 2**64 - 1.
    init : Init
        Draw, factor and stream.
    start : int
        Position of the first element; `start + n` is at most 2**63.
    backend : {"native", "numpy"}
        Force one implementation; None takes the kernel where there is one. The bits are the same.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    FreezepackError
        If `backend` is "native" and there is no kernel.

    Examples
    --------
    >>> out = np.empty(3, np.uint32)
    >>> fill_raw(out, DType.float32, key=0, init=Init(Draw.normal, 0x35000000))
    >>> out.view(np.float32).tolist()
    [-0.8433289527893066, -0.15030527114868164, 0.3375425338745117]
    """
    key, start = index(key), index(start)
    check_init(init, dtype)
    check_place(out, dtype.raw, key, start)
    if init.draw == Draw.constant:
        out[:] = narrow_bits(init.bits, dtype)
        return
    kernel = _choose(backend, find_fill)
    work: Fill = kernel or fill_reference

    def part(begin: int, end: int) -> None:
        work(out[begin:end], dtype, key, init, start + begin)

    native.map_tiles(part, out.size, _NATIVE_TILE if kernel else CHUNK)


def rebuild_raw(
    out: RawArray,
    dtype: DType,
    *,
    key: int,
    init: Init | None,
    start: int,
    positions: Positions | None = None,
    values: RawArray | None = None,
    digest: bool = False,
    backend: str | None = None,
) -> int:
    """Write a slice of base plus patch into `out` in one pass, and digest it on the way.

    The work is done in the calling thread: callers split it.

    Parameters
    ----------
    out : raw array, shape (n,)
        Overwritten with elements `start` to `start + n - 1` of the tensor. Contiguous.
    dtype : DType
        Any element type. Draws need float32, float16, bfloat16 or float64.
    key : int
        The seed, 0 to 2**64 - 1.
    init : Init or None
        Draw, factor and stream of the base. The constant 0 is for every element type; None leaves
        what stands in `out`.
    start : int
        Position of the first element; `start + n` is at most 2**63.
    positions : uint32 array, shape (k,), optional
        Which elements of `out` to replace, counted from its first; strictly increasing.
    values : raw array, shape (k,), optional
        What to replace them by.
    digest : bool
        Sum the digest's tiles too. `start` must be the beginning of a tile, and `out` must end
        with a tile or with the tensor.
    backend : {"native", "numpy"}
        Force one implementation; None takes the kernel where there is one.

    Returns
    -------
    int
        What these tiles add to the digest of the tensor, modulo 2**64; 0 without `digest`.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> out = np.empty(3, np.uint8)
    >>> zeros, patch = Init(Draw.constant, 0), np.frombuffer(b"abc", np.uint8)
    >>> at = np.arange(3, dtype=np.uint32)
    >>> part = rebuild_raw(out, DType.uint8, key=0, init=zeros, start=0,
    ...                    positions=at, values=patch, digest=True)
    >>> bytes(out), hex(part)
    (b'abc', '0x243c125aa37010a4')
    """
    key, start = index(key), index(start)
    if init is not None and not is_zeros(init):
        check_init(init, dtype)
    check_place(out, dtype.raw, key, start)
    if (positions is None) != (values is None):
        raise ValueError("values are given without positions, or positions without values")
    if positions is not None and values is not None:
        check_patch(positions, values, out)
    if digest and start * dtype.itemsize % TILE:
        raise ValueError(f"start is {start}, expected the first element of a tile of {TILE} bytes")
    kernel = _choose(backend, find_rebuild)
    if kernel is not None:
        return kernel(out, dtype, key, init, start, positions, values, digest)
    if positions is None or values is None:
        positions, values = np.zeros(0, np.uint32), np.zeros(0, dtype.raw)
    return rebuild_reference(out, dtype, key, init, start, positions, values, digest)


def words(
    out: NDArray[np.uint32], *, key: int, stream: int, start: int = 0, backend: str | None = None
) -> None:
    """Write words `start` to `start + out.size - 1` of a stream into `out`.

    Parameters
    ----------
    out : uint32 array, shape (n,)
        Overwritten. Contiguous.
    key, stream : int
        0 to 2**64 - 1. Streams below 2**63 belong to tensors.
    start : int
        Position of the first word; `start + n` is at most 2**63.
    backend : {"native", "numpy"}
        Force one implementation; None takes the kernel where there is one.

    Examples
    --------
    >>> out = np.empty(2, np.uint32)
    >>> words(out, key=0, stream=0)
    >>> [hex(word) for word in out]
    ['0x6627e8d5', '0xe169c58d']
    """
    key, stream, start = index(key), index(stream), index(start)
    check_place(out, np.dtype("<u4"), key, start)
    check_range("stream", stream, 0, 2**64 - 1)
    kernel = _choose(backend, find_words)
    work: Words = kernel or _reference_words

    def part(begin: int, end: int) -> None:
        work(out[begin:end], key, stream, start + begin)

    native.map_tiles(part, out.size, _NATIVE_TILE if kernel else CHUNK)


def _reference_words(out: NDArray[np.uint32], key: int, stream: int, start: int) -> None:
    for begin in range(0, out.size, CHUNK):
        part = out[begin : begin + CHUNK]
        part[:] = make_words(key, stream, start + begin, part.size)


def _choose(backend: str | None, find: Callable[[], T | None]) -> T | None:
    """Return the kernel's function, or None for the reference."""
    if backend not in (None, "native", "numpy"):
        raise ValueError(f"backend is {backend!r}, expected 'native', 'numpy' or None")
    found = None if backend == "numpy" else find()
    if backend == "native" and found is None:
        raise FreezepackError(f"backend 'native' is not available: {native.status()}")
    return found
