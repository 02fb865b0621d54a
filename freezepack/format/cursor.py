"""Bounds-checked reading of the header, and the inverse for writing."""

from freezepack.errors import CorruptError, LimitError, TruncatedError
from freezepack.format.constants import MAX_LENGTH, MAX_TEXT

LONGEST_VARINT = 10


class Cursor:
    """Read fields one after another; every error names the field and the offset of its start.

    Parameters
    ----------
    data : bytes-like
        The bytes to read.
    start : int
        Offset in the file of `data[0]`.
    """

    def __init__(self, data: bytes | memoryview, start: int) -> None:
        self._data = bytes(data)  # single bytes are read faster than from a view
        self._start = start
        self._next = 0

    @property
    def offset(self) -> int:
        """Offset in the file of the next byte."""
        return self._start + self._next

    @property
    def reached(self) -> int:
        """Offset in the file up to which bytes are used."""
        return self.offset

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._next

    def take(self, count: int, field: str, start: int | None = None) -> bytes:
        """Return the next `count` bytes, or raise TruncatedError.

        `start` is the offset at which the field began, if not here.
        """
        end = self._next + count
        if end > len(self._data):
            problem = f"{self.left} bytes left, expected {count}"
            raise TruncatedError(field, self.offset if start is None else start, problem)
        piece = self._data[self._next : end]
        self._next = end
        return piece

    def spelling(self, most: int) -> bytes:
        """Return at least the bytes of a spelled name, if these are at most `most`, to be taken."""
        return self._data[self._next : self._next + most]

    def length(self, field: str, start: int) -> int:
        """Return the length of a section that begins at `start` in the file."""
        return self.varint(field)

    def end_fields(self) -> None:
        """Check that the last field before the digests has been read, where that can be told."""

    def unsigned(self, count: int, field: str) -> int:
        """Return a little-endian integer of `count` bytes."""
        return int.from_bytes(self.take(count, field), "little")

    def varint(self, field: str, limit: int = MAX_LENGTH) -> int:
        """Return an unsigned LEB128 number of at most `limit`; it must be in its shortest form."""
        start, data = self._next, self._data
        if start < len(data) and data[start] < 0x80 and data[start] <= limit:
            self._next = start + 1  # most numbers of a header
            return data[start]
        value = shift = 0
        byte = 0x80
        for byte in data[start : start + LONGEST_VARINT]:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        problem = ""
        if byte >= 0x80:
            if len(data) - start < LONGEST_VARINT:
                raise TruncatedError(field, self.offset, "0 bytes left, expected 1")
            problem = f"the number has more than {LONGEST_VARINT} bytes"
        elif not byte and shift > 7:
            problem = "the number is not in its shortest form"
        if problem:
            raise CorruptError(field, self.offset, problem)
        if value > limit:
            raise LimitError(field, self.offset, f"found {value}, expected at most {limit}")
        self._next = start + shift // 7
        return value

    def text(self, field: str, limit: int = MAX_TEXT) -> str:
        """Return a UTF-8 string without NUL that stands behind its length in bytes."""
        start = self.offset
        length = self.varint(field, limit)
        return decode_text(self.take(length, field, start), field, start)


def decode_text(data: bytes, field: str, start: int) -> str:
    """Return `data` as text, or raise CorruptError where it is not strict UTF-8 or holds NUL."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} of the text is not UTF-8"
        raise CorruptError(field, start, problem) from None
    if "\0" in text:
        raise CorruptError(field, start, "the text holds NUL")
    return text


def varint_bytes(value: int) -> bytes:
    """Return `value` as unsigned LEB128 in its shortest form.

    Examples
    --------
    >>> varint_bytes(2152).hex()
    'e810'
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text_bytes(text: str) -> bytes:
    """Return the UTF-8 form of `text` behind its length in bytes.

    Examples
    --------
    >>> text_bytes("snip").hex()
    '04736e6970'
    """
    data = text.encode("utf-8")
    return varint_bytes(len(data)) + data
