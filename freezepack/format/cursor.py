"""Bounds-checked reading of the header, and the inverse for writing."""

from freezepack.errors import CorruptError, LimitError, TruncatedError
from freezepack.format.constants import MAX_LENGTH, MAX_TEXT


class Cursor:
    """Read fields one after another; every error names the field and its offset in the file.

    Parameters
    ----------
    data : bytes-like
        The bytes to read.
    start : int
        Offset in the file of `data[0]`.
    """

    def __init__(self, data: bytes | memoryview, start: int) -> None:
        self._data = memoryview(data)
        self._start = start
        self._next = 0

    @property
    def offset(self) -> int:
        """Offset in the file of the next byte."""
        return self._start + self._next

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._next

    def take(self, count: int, field: str) -> bytes:
        """Return the next `count` bytes, or raise TruncatedError."""
        if count > self.left:
            problem = f"{self.left} bytes left, expected {count}"
            raise TruncatedError(field, self.offset, problem)
        piece = bytes(self._data[self._next : self._next + count])
        self._next += count
        return piece

    def unsigned(self, count: int, field: str) -> int:
        """Return a little-endian integer of `count` bytes."""
        return int.from_bytes(self.take(count, field), "little")

    def varint(self, field: str, limit: int = MAX_LENGTH) -> int:
        """Return an unsigned LEB128 number of at most `limit`; it must be in its shortest form."""
        offset = self.offset
        value = 0
        for place in range(10):
            byte = self.take(1, field)[0]
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if place and not byte:
                    raise CorruptError(field, offset, "the number is not in its shortest form")
                break
        else:
            raise CorruptError(field, offset, "the number has more than 10 bytes")
        if value > limit:
            raise LimitError(field, offset, f"found {value}, expected at most {limit}")
        return value

    def text(self, field: str, limit: int = MAX_TEXT) -> str:
        """Return a UTF-8 string behind its length in bytes."""
        length = self.varint(field, limit)
        offset = self.offset
        return decode_text(self.take(length, field), field, offset)


def decode_text(data: bytes, field: str, offset: int) -> str:
    """Return `data` as text, or raise CorruptError where it is not strict UTF-8 or holds NUL."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorruptError(field, offset + error.start, "expected UTF-8") from None
    if "\0" in text:
        raise CorruptError(field, offset + data.index(b"\0"), "NUL is not allowed")
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
    """Return the UTF-8 form of `text` behind its length in bytes."""
    data = text.encode("utf-8")
    return varint_bytes(len(data)) + data
