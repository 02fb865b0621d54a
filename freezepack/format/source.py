"""Where the bytes of a pack come from: memory, or a file read piece by piece."""

import os
from pathlib import Path
from typing import BinaryIO, Protocol

from freezepack.errors import TruncatedError


class Source(Protocol):
    """Random access to the bytes of one file."""

    size: int

    def read(self, offset: int, length: int, field: str) -> memoryview:
        """Return `length` bytes from `offset`, or raise TruncatedError naming `field`."""
        ...

    def close(self) -> None:
        """Give back what is held open; reading afterwards is an error."""
        ...


class BytesSource:
    """Bytes in memory; pieces are views, nothing is copied."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data).cast("B")
        self.size = len(self._data)

    def read(self, offset: int, length: int, field: str) -> memoryview:
        """Return a view of `length` bytes from `offset`."""
        left = max(0, self.size - offset)
        if length > left:
            raise TruncatedError(field, offset, f"{left} bytes left, expected {length}")
        return self._data[offset : offset + length]

    def close(self) -> None:
        """Do nothing; the bytes belong to the caller."""


class FileSource:
    """A file on disk; pieces are read when they are asked for.

    Reading and not mapping: a file that shrinks while it is mapped kills the process, here it
    raises TruncatedError.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: BinaryIO = Path(path).open("rb")  # noqa: SIM115
        self.size = os.fstat(self._file.fileno()).st_size

    def read(self, offset: int, length: int, field: str) -> memoryview:
        """Return `length` bytes from `offset`; safe to call from several threads."""
        left = max(0, self.size - offset)
        if length > left:
            raise TruncatedError(field, offset, f"{left} bytes left, expected {length}")
        out = bytearray(length)
        done = 0
        while done < length:
            got = os.preadv(self._file.fileno(), [memoryview(out)[done:]], offset + done)
            if not got:
                problem = f"{done} bytes left, expected {length}; the file changed while read"
                raise TruncatedError(field, offset, problem)
            done += got
        return memoryview(out)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
