"""Read a CIFAR batch: a pickle of one dictionary, of which nothing is ever executed.

The published files are pickles, so they are read by an unpickler that knows four names and gives
each a stand-in of this module. No function or class of another module can be reached from a file.
"""

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import DataError

PIXELS = 3 * 32 * 32
"""Bytes of an image: 1024 red, 1024 green, 1024 blue."""
# what the unpickler may raise on bytes that are no pickle, as its documentation says
_BROKEN = (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, LookupError)


def read_batch(content: bytes, labels: str, classes: int, place: str) -> tuple[Any, Any]:
    """Return the images and labels of one batch.

    Parameters
    ----------
    content : bytes
        The whole pickle.
    labels : str
        Key of the labels: "labels", or "fine_labels" for CIFAR-100.
    classes : int
        Labels are below this.
    place : str
        Name of the file, for error messages.

    Returns
    -------
    images : uint8 array, shape (n, 3, 32, 32)
    labels : uint8 array, shape (n,)

    Raises
    ------
    DataError
        If the bytes are no such pickle, ask for anything else to be imported, or images and
        labels do not belong together.
    """
    try:
        found = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except _BROKEN as error:
        raise DataError(f"{place}: cannot be read as a CIFAR batch ({error})") from error
    if not isinstance(found, dict):
        raise DataError(f"{place}: holds a {type(found).__name__}, expected a dictionary")
    images = _entry(found, "data", place)
    if not isinstance(images, _Array) or images.pixels is None:
        raise DataError(f"{place}: 'data' is no array of bytes with {PIXELS} columns")
    listed = _entry(found, labels, place)
    right = isinstance(listed, list) and all(type(x) is int and 0 <= x < classes for x in listed)
    if not right or len(listed) != len(images.pixels):
        expected = f"{len(images.pixels)} numbers from 0 to {classes - 1}"
        raise DataError(f"{place}: {labels!r} is not a list of {expected}")
    return images.pixels.reshape(-1, 3, 32, 32), np.array(listed, np.uint8)


def _entry(found: dict[Any, Any], key: str, place: str) -> Any:
    """Return an entry; files of Python 2 have keys of bytes."""
    for spelled in (key.encode(), key):
        if spelled in found:
            return found[spelled]
    raise DataError(f"{place}: has no entry {key!r}")


class _Array:
    """Stands in for numpy.ndarray; holds pixels once its state has been read."""

    pixels: NDArray[np.uint8] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, element, by_columns, content = state
        if not isinstance(element, _Element) or not isinstance(content, bytes) or by_columns:
            raise ValueError("an array that is not made of bytes in C order")
        if len(shape) != 2 or shape[1] != PIXELS or shape[0] * PIXELS != len(content):
            raise ValueError(f"an array of shape {shape} with {len(content)} bytes")
        self.pixels = np.frombuffer(content, np.uint8).reshape(shape)


class _Element:
    """Stands in for numpy.dtype("uint8"), the only one there is."""

    def __init__(self, name: bytes | str, *flags: object) -> None:
        if name not in (b"u1", "u1"):
            raise ValueError(f"elements of type {name!r}, expected 'u1'")

    def __setstate__(self, state: object) -> None:
        """Byte order and the like: nothing that one byte could need."""


def _reconstruct(kind: object, *_: object) -> _Array:
    if kind is not _Array:
        raise ValueError("an array of an unknown class")
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    """Stand in for the way in which Python 3 writes bytes for Python 2."""
    if encoding != "latin1":
        raise ValueError(f"bytes written as {encoding!r}, expected 'latin1'")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Element,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")
        return _KNOWN[module, name]
