"""Read the gzipped IDX files of the MNIST family, strictly."""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import DataError


def read_idx(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read a gzipped IDX file of unsigned bytes whose shape is known.

    Parameters
    ----------
    path : Path
        The file; it is read to its end and no further than the shape allows.
    shape : tuple of int
        What the header must say.

    Returns
    -------
    uint8 array of that shape

    Raises
    ------
    DataError
        If the file cannot be read, is no IDX file of that shape, is cut or is too long.
    """
    need = 4 + 4 * len(shape) + prod(shape)
    try:
        with gzip.open(path) as stream:
            content = stream.read(need + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read as gzip ({error})") from error
    magic = bytes([0, 0, 8, len(shape)])
    if content[:4] != magic:
        raise DataError(f"{path}: begins with {content[:4].hex()}, expected {magic.hex()} (IDX)")
    sizes = content[4 : 4 + 4 * len(shape)]
    found = tuple(int(d) for d in np.frombuffer(sizes[: len(sizes) // 4 * 4], ">u4"))
    if found != shape:
        raise DataError(f"{path}: has shape {found}, expected {shape}")
    if len(content) != need:
        problem = "more than" if len(content) > need else f"{len(content)} bytes, expected"
        raise DataError(f"{path}: {problem} {need} bytes after unpacking")
    pixels = np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape))
    copy: NDArray[np.uint8] = pixels.reshape(shape).copy()
    return copy
