"""Where the bytes of a pack come from: memory, or a file read piece by piece."""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from freezepack.errors import TruncatedError


class Source(Protocol):
    """Random access to the bytes of one file."""

    size: int

    def read(self, offset: int, length: int, field: str) -> memoryview:
        """Return `length` bytes from `offset`, or raise TruncatedError naming `field`."""
        ...

    def expect(self, offset: int, length: int) -> None:
        """Say that these bytes will be read soon; nothing depends on it but the time it takes."""
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
        _check_left(self.size, offset, length, field)
        return self._data[offset : offset + length]

    def expect(self, offset: int, length: int) -> None:
        """Do nothing; the bytes are here."""

    def close(self) -> None:
        """Do nothing; the bytes belong to the caller."""


class FileSource:
    """A file on disk; pieces are read when they are asked for, from any thread.

    Reading and not mapping: a file that shrinks while it is mapped kills the process, here it
    raises TruncatedError.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: BinaryIO = Path(path).open("rb", buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()
        self.size = os.fstat(self._file.fileno()).st_size

    def read(self, offset: int, length: int, field: str) -> memoryview:
        """Return `length` bytes from `offset`."""
        _check_left(self.size, offset, length, field)
        out = memoryview(bytearray(length))
        done = 0
        while done < length:
            got = self._read_into(out[done:], offset + done)
            if not got:
                problem = f"{done} bytes left, expected {length}: the file became shorter"
                raise TruncatedError(field, offset, problem)
            done += got
        return out

    def _read_into(self, out: memoryview, offset: int) -> int:
        """Read some bytes into `out` and return how many; 0 at the end of the file."""
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [out], offset)
        with self._lock:  # platforms without positioned reads share one position
            self._file.seek(offset)
            return self._file.readinto(out) or 0  # type: ignore[attr-defined]

    def expect(self, offset: int, length: int) -> None:
        """Have the system read ahead while other work is done, where it knows how to."""
        if hasattr(os, "posix_fadvise"):
            with suppress(OSError):  # a file system may refuse advice
                os.posix_fadvise(self._file.fileno(), offset, length, os.POSIX_FADV_WILLNEED)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _check_left(size: int, offset: int, length: int, field: str) -> None:
    left = max(0, size - offset)
    if length > left:
        raise TruncatedError(field, offset, f"{left} bytes left, expected {length}")
