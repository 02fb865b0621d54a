"""The optional C++ kernel: finding it, calling it, and sharing work between threads.

Every native function has a NumPy reference that gives the same bits. Callers ask for a function
and use the reference when there is none.
"""

import ctypes
import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ABI = 1
"""Number of the C interface that this Python code speaks; `fpk_abi()` of the library."""

KERNEL = Path(__file__).with_name("_kernel.so")

_logger = logging.getLogger(__name__)
_threads: list[int] = []


def library() -> ctypes.CDLL | None:
    """Return the kernel, or None where the NumPy reference has to do.

    `FREEZEPACK_NATIVE=0` in the environment forces the reference; it is read at each call.
    """
    return None if os.environ.get("FREEZEPACK_NATIVE") == "0" else _load(KERNEL)[0]


def status() -> str:
    """Say in one line whether the kernel is in use and, if not, why and what to do.

    Examples
    --------
    >>> status().split(":")[0] in ("native", "numpy")
    True
    """
    if os.environ.get("FREEZEPACK_NATIVE") == "0":
        return "numpy: FREEZEPACK_NATIVE=0 is set"
    kernel, note = _load(KERNEL)
    return f"numpy: {note}" if kernel is None else f"native: {note}"


def function(name: str, *argtypes: Any, restype: Any = None) -> Callable[..., Any] | None:
    """Return the C function `name`, typed, or None where the NumPy reference has to do.

    The reference has to do if `library()` is None, and if the library as built is older than this
    code and lacks the function.

    Parameters
    ----------
    name : str
        Exported name, beginning with `fpk_`.
    *argtypes : ctypes types
        Types of the arguments, in order.
    restype : ctypes type
        Type of the result; None for void.

    Examples
    --------
    >>> abi = function("fpk_abi", restype=ctypes.c_int32)
    >>> abi is None or abi() == ABI
    True
    """
    return None if library() is None else _bind(name, argtypes, restype)


@cache
def _bind(name: str, argtypes: tuple[Any, ...], restype: Any) -> Callable[..., Any] | None:
    """Return the function of the loaded library, typed."""
    kernel = _load(KERNEL)[0]
    if kernel is None:
        return None
    try:
        # Indexing makes a new function object each time, so two typings do not collide.
        found = kernel[name]
    except AttributeError:
        _logger.warning("%s lacks %s, NumPy does its work: %s", KERNEL.name, name, _REMEDY)
        return None
    found.argtypes = argtypes
    found.restype = restype
    return found


_REMEDY = "build it again with `pip install .` or `python setup.py build_ext --inplace`"


@cache
def _load(path: Path) -> tuple[ctypes.CDLL | None, str]:
    """Return the library and a note: its path, or why there is none."""
    if not path.exists():
        return None, "the kernel is not built (a C++17 compiler is needed at installation)"
    try:
        kernel = ctypes.CDLL(str(path))
        found = int(kernel.fpk_abi())
    except (OSError, AttributeError) as error:
        problem = f"{path.name} cannot be used ({error}): {_REMEDY}"
    else:
        if found == ABI:
            return kernel, str(path)
        problem = f"{path.name} has interface {found}, expected {ABI}: {_REMEDY}"
    _logger.warning("%s", problem)
    return None, problem


def get_num_threads() -> int:
    """Return how many threads large jobs are split over; at first, the processors allowed."""
    if not _threads:
        allowed = getattr(os, "sched_getaffinity", None)
        _threads.append(len(allowed(0)) if allowed else os.cpu_count() or 1)
    return _threads[0]


def set_num_threads(count: int) -> None:
    """Split large jobs over `count` threads from now on. No result depends on it.

    Raises
    ------
    ValueError
        If `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"number of threads is {count}, expected 1 or more")
    _threads[:] = [count]


def map_tiles(
    work: Callable[[int, int], Any], size: int, tile: int, least: int = 1 << 18
) -> list[Any]:
    """Call `work(begin, end)` over ranges that cover 0 to `size`, in several threads if it pays.

    Parameters
    ----------
    work : callable
        Does items `begin` to `end` - 1. It must release the GIL to gain anything, as native
        functions and large NumPy operations do.
    size : int
        Number of items; 0 gives one call `work(0, 0)`.
    tile : int
        Ranges begin at multiples of this.
    least : int
        Fewest items worth a thread.

    Returns
    -------
    list
        What the calls returned, in order of the ranges.

    Examples
    --------
    >>> map_tiles(lambda begin, end: (begin, end), 1000, 4)
    [(0, 1000)]
    """
    threads = min(get_num_threads(), size // max(least, 1))
    if threads <= 1:
        return [work(0, size)]
    from concurrent.futures import ThreadPoolExecutor

    # More pieces than threads, so that one slow core does not hold up the rest.
    step = -(-size // (threads * 4 * tile)) * tile
    # A pool kept between calls would be dead in a forked data-loading process.
    with ThreadPoolExecutor(threads) as pool:
        begins = range(0, size, step)
        return list(pool.map(lambda begin: work(begin, min(begin + step, size)), begins))
