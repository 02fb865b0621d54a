"""Starting afresh: files out of the page cache, and memory back to the system."""

import ctypes
import os
from pathlib import Path

_PROBES = 16


def drop_cache(path: Path) -> bool:
    """Ask the system to forget the cached pages of a file; return whether it did.

    False where the system has no such call, or where pages stay: a file system in memory, or a
    file that someone has mapped.
    """
    if not hasattr(os, "posix_fadvise"):
        return False
    with path.open("rb") as file:
        os.fsync(file.fileno())  # pages that are not on the disk yet would stay
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        cold = not is_cached(path)
        # Looking may have made the system read ahead.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return cold


def is_cached(path: Path) -> bool:
    """Return whether any of some pages spread over a file is in memory; True if unknown."""
    if not hasattr(os, "preadv") or not hasattr(os, "RWF_NOWAIT"):
        return True
    size = path.stat().st_size
    with path.open("rb", buffering=0) as file:
        for offset in range(0, size, max(1, size // _PROBES)):
            try:
                os.preadv(file.fileno(), [bytearray(1)], offset, os.RWF_NOWAIT)
            except BlockingIOError:
                continue  # not in memory
            except OSError:
                return True
            return True
    return False


def return_memory() -> None:
    """Give freed memory back to the system, where the C library can do that.

    Else what was loaded before leaves memory to the next load whose pages are there already,
    unlike in a program that loads once.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return  # not glibc
