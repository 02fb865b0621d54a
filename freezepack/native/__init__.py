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

from freezepack.native import isa
from freezepack.native.threads import get_num_threads, map_items, map_tiles, set_num_threads

__all__ = [
    "ABI",
    "KERNEL",
    "function",
    "get_instruction_set",
    "get_num_threads",
    "instruction_sets",
    "library",
    "map_items",
    "map_tiles",
    "set_instruction_set",
    "set_num_threads",
    "status",
]

ABI = 3
"""Number of the C interface that this Python code speaks; `fpk_abi()` of the library."""

KERNEL = Path(__file__).with_name("_kernel.so")

_logger = logging.getLogger(__name__)


def library() -> ctypes.CDLL | None:
    """Return the kernel, or None where the NumPy reference has to do.

    `FREEZEPACK_NATIVE=0` in the environment forces the reference; it is read at each call.
    """
    return None if os.environ.get("FREEZEPACK_NATIVE") == "0" else _load(KERNEL)[0]


def status() -> str:
    """Say in one line whether the kernel is in use, with which instruction set or why not.

    Examples
    --------
    >>> status().split(":")[0] in ("native", "numpy")
    True
    """
    if os.environ.get("FREEZEPACK_NATIVE") == "0":
        return "numpy: FREEZEPACK_NATIVE=0 is set"
    kernel, note = _load(KERNEL)
    return f"numpy: {note}" if kernel is None else f"native: {isa.find_current(kernel)}, {note}"


def instruction_sets() -> tuple[str, ...]:
    """Return the names of the instruction sets that the kernel can use here; none without it.

    All give the same bits. The best is used unless the environment variable FREEZEPACK_SIMD, read
    when the kernel is loaded, or `set_instruction_set` names another.

    Examples
    --------
    >>> instruction_sets()[:1] in (("portable",), ())
    True
    """
    kernel = library()
    return () if kernel is None else isa.find_available(kernel)


def get_instruction_set() -> str | None:
    """Return the name of the instruction set in use, or None without the kernel."""
    kernel = library()
    return None if kernel is None else isa.find_current(kernel)


def set_instruction_set(name: str) -> None:
    """Use an instruction set from now on, in all threads. For comparisons and tests.

    Parameters
    ----------
    name : {"portable", "avx2", "avx512", "avx512-bf16", "neon"}
        One of `instruction_sets()`.

    Raises
    ------
    ValueError
        If it is unknown, this machine does not have it, or there is no kernel.
    """
    kernel = library()
    if kernel is None:
        raise ValueError(f"instruction set is {name!r}, but there is no kernel: {status()}")
    isa.choose(kernel, name)


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
            isa.choose_from_environment(kernel)
            return kernel, str(path)
        problem = f"{path.name} has interface {found}, expected {ABI}: {_REMEDY}"
    _logger.warning("%s", problem)
    return None, problem
