"""Value codec `planes`: byte planes, those that shrink in one zstd frame; formats/codecs.md.

The lowest bits of trained weights are noise, the highest are not. Apart, each is coded as it is
worth: planes that zstd cannot shrink stay as they are.
"""

from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from freezepack.codecs.base import BaseValues, ValueCodec
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import DType, RawArray

Words = NDArray[Any]
"""Unsigned integers of the codec's word size."""

MAX_WINDOW = 1 << 23
_MAGIC = b"\x28\xb5\x2f\xfd"
_LEVEL = 19


class Planes(ValueCodec):
    """Bytes of equal weight side by side, of the rotated values or of their steps from the base.

    Examples
    --------
    >>> values = np.full(100, 0x3F800000, np.uint32)
    >>> section = PLANES.encode(values, DType.float32, None) or b""
    >>> len(section) < 40
    True
    """

    id = 1
    name = "planes"
    canonical = False

    def fixed_length(self, dtype: DType, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, values: RawArray, dtype: DType, base: BaseValues | None) -> bytes | None:
        """Return the section, or None if it were not smaller than the values themselves."""
        words = _words(values, dtype)
        choices = [_split(_rotate(words))]
        if base is not None:
            choices.append(_split(_steps(words, _words(base.bits(), dtype))))
        costs = [[min(len(_pack(plane, 1)), plane.size) for plane in rows] for rows in choices]
        mode = min(range(len(choices)), key=lambda choice: sum(costs[choice]))
        planes = choices[mode]
        coded = [cost < planes.shape[1] for cost in costs[mode]]
        if not any(coded):
            return None
        marks = sum(1 << place for place, is_coded in enumerate(coded) if is_coded)
        plain = planes[np.logical_not(coded)].tobytes()
        section = bytes([mode, marks]) + plain + _pack(planes[coded], _LEVEL)
        return section if len(section) < words.nbytes else None

    def decode(
        self,
        data: memoryview,
        dtype: DType,
        count: int,
        base: BaseValues | None,
        offset: int,
    ) -> RawArray:
        """Return the values."""
        width = _width(dtype)
        size = count * dtype.itemsize // width
        mode, coded = _read_head(data, width, offset)
        plain = size * (width - int(coded.sum()))
        if len(data) < 2 + plain:
            problem = f"{len(data) - 2} bytes left, expected {plain} of planes"
            raise TruncatedError("values", offset, problem)
        planes = np.empty((width, size), np.uint8)
        planes[~coded] = np.frombuffer(data[2 : 2 + plain], np.uint8).reshape(-1, size)
        content = _read_frame(data[2 + plain :], int(coded.sum()) * size, offset + 2 + plain)
        planes[coded] = np.frombuffer(content, np.uint8).reshape(-1, size)
        words = np.ascontiguousarray(planes.T).reshape(-1).view(f"<u{width}")
        if not mode:
            return _unrotate(words).view(dtype.raw)
        start = np.zeros_like(words) if base is None else _words(base.bits(), dtype)
        return _unsteps(words, start).view(dtype.raw)


def _width(dtype: DType) -> int:
    """Return the bytes of a word: of an element, or of one part of a complex number."""
    is_complex = dtype in (DType.complex64, DType.complex128)
    return dtype.itemsize // 2 if is_complex else dtype.itemsize


def _words(values: RawArray, dtype: DType) -> Words:
    raw = np.ascontiguousarray(values, dtype.raw)
    return raw.view(f"<u{_width(dtype)}")


def _split(words: Words) -> NDArray[np.uint8]:
    """Return the planes as rows, the lowest byte first."""
    octets = words.view(np.uint8).reshape(words.size, words.itemsize)
    return np.ascontiguousarray(octets.T)


def _bits(words: Words, number: int) -> Any:
    """Return a number as a scalar of the words' type, so that no operation widens them."""
    return words.dtype.type(number)


def _rotate(words: Words) -> Words:
    """Move the sign below the other bits: then the top byte of a float32 is its exponent."""
    top = _bits(words, 8 * words.itemsize - 1)
    rotated: Words = (words << _bits(words, 1)) | (words >> top)
    return rotated


def _unrotate(words: Words) -> Words:
    top = _bits(words, 8 * words.itemsize - 1)
    restored: Words = (words >> _bits(words, 1)) | (words << top)
    return restored


def _ordered(words: Words) -> Words:
    """Map patterns to integers in the order of the floats they stand for."""
    sign = _bits(words, 1 << (8 * words.itemsize - 1))
    return np.where(words & sign, ~words, words | sign)


def _unordered(words: Words) -> Words:
    sign = _bits(words, 1 << (8 * words.itemsize - 1))
    return np.where(words & sign, words ^ sign, ~words)


def _steps(words: Words, base: Words) -> Words:
    """Return how many floats lie between base and value: 0, -1, 1, -2, ... as 0, 1, 2, 3, ..."""
    steps = _ordered(words) - _ordered(base)
    top = _bits(words, 8 * words.itemsize - 1)
    folded: Words = (steps << _bits(words, 1)) ^ (~(steps >> top) + _bits(words, 1))
    return folded


def _unsteps(words: Words, base: Words) -> Words:
    one = _bits(words, 1)
    steps = (words >> one) ^ (~(words & one) + one)
    return _unordered(_ordered(base) + steps)


def _pack(planes: NDArray[np.uint8], level: int) -> bytes:
    """Return one frame with its content size, without checksum."""
    packer = zstandard.ZstdCompressor(level=level, write_checksum=False, write_content_size=True)
    return bytes(packer.compress(planes.tobytes()))


def _read_head(data: memoryview, width: int, offset: int) -> tuple[int, NDArray[np.bool_]]:
    """Return the mode and which planes are in the frame."""
    if len(data) < 2:
        problem = f"{len(data)} bytes left, expected 2 for mode and planes"
        raise TruncatedError("values", offset, problem)
    mode, marks = data[0], data[1]
    if mode > 1:
        raise CorruptError("values", offset, f"mode {mode}, expected 0 or 1")
    if not 0 < marks < 1 << width:
        raise CorruptError("values", offset + 1, f"planes 0x{marks:02x} of {width}-byte words")
    return mode, np.array([marks >> place & 1 for place in range(width)], np.bool_)


def _read_frame(data: memoryview, size: int, offset: int) -> bytes:
    """Return the content of the one frame that `data` must be."""
    if len(data) < 6:
        raise TruncatedError("values", offset, f"{len(data)} bytes left, expected a zstd frame")
    if data[:4] != _MAGIC:
        raise CorruptError("values", offset, f"found {data[:4].hex()}, expected a zstd frame")
    if data[4] & 0x1F:
        problem = f"frame descriptor 0x{data[4]:02x} asks for a dictionary or a checksum"
        raise CorruptError("values", offset + 4, problem)
    try:
        frame = zstandard.get_frame_parameters(data)
        if frame.content_size != size:
            problem = f"the frame declares {frame.content_size} bytes, expected {size}"
            raise CorruptError("values", offset, problem)
        if frame.window_size > max(size, MAX_WINDOW):
            problem = f"window of {frame.window_size} bytes, expected at most {MAX_WINDOW}"
            raise CorruptError("values", offset, problem)
        unpacker = zstandard.ZstdDecompressor()
        content = unpacker.decompress(data, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise CorruptError("values", offset, f"not one zstd frame: {error}") from None
    if len(content) != size:
        raise CorruptError("values", offset, f"{len(content)} bytes unpacked, expected {size}")
    return bytes(content)


PLANES = Planes()
