"""Reading inputs and writing outputs: all or nothing, never half a file.

An output is written to a temporary file beside it and renamed when it is complete. Whatever
happens before that, a full disk or an interrupt, the old file stays and the temporary one goes.
"""

import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from freezepack.errors import OutputExistsError

STANDARD = "-"
"""The name of standard input and standard output."""
Piece = bytes | bytearray | memoryview


def read_input(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file, of standard input if `path` is "-"."""
    return sys.stdin.buffer.read() if os.fspath(path) == STANDARD else Path(path).read_bytes()


def hold_stream(path: str | os.PathLike[str] | bytes) -> str | os.PathLike[str] | bytes:
    """Return a path as it is, or the bytes behind it if they can be read only once.

    Bytes that are held already are returned as they are.

    Standard input, pipes and devices have neither a size nor a way back; what is asked of them
    piece by piece has to be held.

    Examples
    --------
    >>> hold_stream("model.fpk")
    'model.fpk'
    """
    if isinstance(path, bytes):
        return path
    is_stream = os.fspath(path) == STANDARD or _is_stream(Path(path))
    return read_input(path) if is_stream else path


def write_output(
    path: str | os.PathLike[str], pieces: Iterable[Piece], *, force: bool = False
) -> int:
    """Write pieces one after another to a file, all or nothing, or to standard output.

    Parameters
    ----------
    path : path or "-"
        Where to. A device or a pipe is written to directly.
    pieces : iterable of bytes-like
        May be made while they are written; an error in making them leaves the old file.
    force : bool
        Replace a file that is there.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    OutputExistsError
        If the output exists and `force` is False.
    OSError
        If the file cannot be written: no such folder, no permission, disk full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_output(Path(folder, "a.fpk"), [b"ab", b"c"])
    3
    """
    if os.fspath(path) == STANDARD:
        total = sum(map(sys.stdout.buffer.write, pieces))
        sys.stdout.buffer.flush()
        return total
    with replace_file(path, force=force) as file:
        return sum(map(file.write, pieces))


def check_output(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise OutputExistsError if writing to `path` would replace a file without `force`.

    Call it before long work; the check when the file is written stands in any case.
    """
    if os.fspath(path) == STANDARD or force:
        return
    if os.path.lexists(path) and not _is_stream(Path(path)):
        raise _exists(path)


@contextmanager
def replace_file(path: str | os.PathLike[str], *, force: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place only if the block ends without an error.

    A symbolic link is replaced, what it points to stays as it is; a device or a pipe is opened
    directly. Data is on the disk before the file takes its place.

    Raises
    ------
    OutputExistsError
        If the file exists, at the beginning or at the end, and `force` is False.
    """
    target = Path(path)
    check_output(target, force=force)
    if _is_stream(target):
        with name_output(target), target.open("wb") as stream:
            yield stream
        return
    temporary = target.with_name(f".freezepack-{secrets.token_hex(8)}.tmp")
    try:
        with name_output(target), temporary.open("xb") as file:
            yield file
            file.flush()
            _keep_mode(target, file)
            os.fsync(file.fileno())
        with name_output(target):
            _rename(temporary, target, force)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


@contextmanager
def name_output(target: Path) -> Iterator[None]:
    """Name the output in errors that have no file name, or that of the temporary file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and (
            not error.filename or ".freezepack-" in str(error.filename)
        ):
            raise type(error)(error.errno, error.strerror, str(target)) from error
        raise


def _is_stream(path: Path) -> bool:
    """Return whether the path leads to something that cannot be replaced: a device, a pipe."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _exists(path: str | os.PathLike[str]) -> OutputExistsError:
    return OutputExistsError(f"{os.fspath(path)} exists; --force (force=True) replaces it")


def _keep_mode(target: Path, file: BinaryIO) -> None:
    """Give the new file the permissions of a regular file that it replaces."""
    with suppress(FileNotFoundError):
        found = target.lstat().st_mode
        if stat.S_ISREG(found):
            os.fchmod(file.fileno(), stat.S_IMODE(found))


def _rename(temporary: Path, target: Path, force: bool) -> None:
    if force:
        temporary.replace(target)
        return
    try:
        # A link fails where the target appeared meanwhile; a rename would replace it.
        os.link(temporary, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:
        # Some file systems have no links: all that is left is to look once more.
        check_output(target)
        temporary.replace(target)
    else:
        temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
