"""Fields from a coded header, and from a plain one into a coded one: formats/header.md."""

from freezepack.errors import CorruptError, LimitError, TruncatedError
from freezepack.format.coded.model import HeaderModel
from freezepack.format.coded.numbers import Numbers
from freezepack.format.coded.primer import primed_counts
from freezepack.format.constants import DIGEST_BYTES, MAX_CODED, MAX_LENGTH, MAX_TEXT
from freezepack.format.cursor import Cursor, decode_text, varint_bytes

FLOATS = ("scale", "tail")
"""Fields of four bytes that are coded as numbers."""


class CodedCursor(Cursor):
    """Read fields from a coded header; every error has the offset of its start.

    Parameters
    ----------
    data : bytes-like
        The header: the coded fields, then the digest.
    start : int
        Offset in the file of `data[0]`.
    file_size : int
        Bytes of the file.

    Raises
    ------
    TruncatedError
        If there is no digest.
    """

    def __init__(self, data: bytes | memoryview, start: int, file_size: int) -> None:
        super().__init__(data[max(0, len(data) - DIGEST_BYTES) :], start)
        if len(data) < DIGEST_BYTES:
            raise TruncatedError("digest", start, f"{len(data)} bytes left, expected 8")
        stream = bytes(data[: len(data) - DIGEST_BYTES])
        self._length = len(stream)
        self._model = HeaderModel(Numbers(stream, start, primed_counts()))
        self._file_size = file_size
        self._spent = 0
        self._ended = False
        self._spelled = b""

    @property
    def offset(self) -> int:
        """Offset in the file of the header; once the fields have ended, of the next byte."""
        return self._start + self._next

    @property
    def reached(self) -> int:
        """Offset in the file up to which bytes are used."""
        if self._ended:
            return self.offset
        return self._start + min(self._length, self._model.numbers.consumed)

    @property
    def left(self) -> int:
        """Most bytes that further fields may have, were the header not coded."""
        return super().left if self._ended else MAX_CODED - self._spent

    def take(self, count: int, field: str, start: int | None = None) -> bytes:
        """Return the next `count` bytes."""
        if field == "name":
            self._spend(count, field)
            return self._spelled[:count]
        if field == "digest":
            return super().take(count, field, start)
        self._spend(count, field)
        return self._model.code_bytes(field, count, None)

    def spelling(self, most: int) -> bytes:
        """Return the bytes of a spelled name."""
        self._spelled = self._model.code_spelling(None, min(most, self.left))
        return self._spelled

    def unsigned(self, count: int, field: str) -> int:
        """Return a number of `count` bytes."""
        if field not in FLOATS:
            return super().unsigned(count, field)
        self._spend(count, field)
        value = self._model.code(field, None)
        if value >> 8 * count:
            raise CorruptError(field, self.offset, f"found {value}, expected {count} bytes")
        return value

    def varint(self, field: str, limit: int = MAX_LENGTH) -> int:
        """Return a number of at most `limit`."""
        return self._check(self._model.code(field, None), field, limit)

    def length(self, field: str, start: int) -> int:
        """Return the length of a section that begins at `start` in the file."""
        left = self._file_size - start
        return self._check(self._model.code_length(field, None, left), field, MAX_LENGTH)

    def text(self, field: str, limit: int = MAX_TEXT) -> str:
        """Return a text."""
        data = self._model.code_text(field, None, min(limit, self.left))
        self._spend(len(data) + len(varint_bytes(len(data))), field)
        return decode_text(data, field, self.offset)

    def end_fields(self) -> None:
        """Check that the stream ends here."""
        self._model.numbers.check_end(self._start)
        self._start += self._length
        self._ended = True

    def _check(self, value: int, field: str, limit: int) -> int:
        if value > limit:
            raise LimitError(field, self.offset, f"found {value}, expected at most {limit}")
        self._spend(len(varint_bytes(value)), field)
        return value

    def _spend(self, count: int, field: str) -> None:
        """Count the bytes of a field as if it was not coded: few bytes may stand for many."""
        self._spent += count
        if self._spent > MAX_CODED:
            problem = f"the fields would take more than {MAX_CODED} bytes"
            raise LimitError(field, self.offset, problem)


class Transcriber(Cursor):
    """Read fields from a header that is not coded, and code them.

    Parameters
    ----------
    data, start : bytes-like, int
        As for `Cursor`.
    file_size : int
        Bytes of the file.
    """

    def __init__(self, data: bytes | memoryview, start: int, file_size: int) -> None:
        super().__init__(data, start)
        self._model = HeaderModel(Numbers(counts=primed_counts()))
        self._file_size = file_size
        self._digest = b""

    def features(self, value: int) -> None:
        """Code the features, which a plain header does not hold."""
        self._model.code("features", value)

    def take(self, count: int, field: str, start: int | None = None) -> bytes:
        """Return and code the next `count` bytes; the digest is kept as it is."""
        data = super().take(count, field, start)
        if field == "digest":
            self._digest += data
        elif field == "name":
            self._model.code_spelling(data, count)
        elif field in FLOATS:
            self._model.code(field, int.from_bytes(data, "little"))
        else:
            self._model.code_bytes(field, count, data)
        return data

    def varint(self, field: str, limit: int = MAX_LENGTH) -> int:
        """Return and code a number."""
        return self._model.code(field, super().varint(field, limit))

    def length(self, field: str, start: int) -> int:
        """Return and code the length of a section that begins at `start` in the file."""
        value = super().varint(field)
        return self._model.code_length(field, value, self._file_size - start)

    def text(self, field: str, limit: int = MAX_TEXT) -> str:
        """Return and code a text."""
        start = self.offset
        data = super().take(super().varint(field, limit), field, start)
        self._model.code_text(field, data, limit)
        return decode_text(data, field, start)

    def finish(self) -> bytes | None:
        """Return the coded header, after all fields were read; None if it had several digests."""
        if len(self._digest) != DIGEST_BYTES:
            return None
        return self._model.numbers.finish() + self._digest
