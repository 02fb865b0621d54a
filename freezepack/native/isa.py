"""Which instruction set the kernel uses: its loops are compiled for several, chosen at run time."""

import ctypes
import os

from freezepack.errors import FreezepackError

NAMES = ("portable", "avx2", "avx512", "avx512-bf16", "neon")
"""In the order of their numbers in `csrc/isa.cpp`."""
VARIABLE = "FREEZEPACK_SIMD"
"""Names the instruction set in the environment; read when the kernel is loaded."""


def find_available(kernel: ctypes.CDLL) -> tuple[str, ...]:
    """Return the instruction sets that can be used on this machine."""
    return tuple(name for number, name in enumerate(NAMES) if kernel.fpk_has_isa(number))


def find_current(kernel: ctypes.CDLL) -> str:
    """Return the instruction set in use."""
    return NAMES[kernel.fpk_isa()]


def choose(kernel: ctypes.CDLL, name: str) -> None:
    """Use an instruction set from now on.

    Raises
    ------
    ValueError
        If it is unknown, or this machine does not have it.
    """
    problem = _find_problem(kernel, name)
    if problem:
        raise ValueError(f"instruction set is {problem}")
    kernel.fpk_set_isa(NAMES.index(name))


def choose_from_environment(kernel: ctypes.CDLL) -> None:
    """Use the instruction set that the environment names, if it names one.

    Raises
    ------
    FreezepackError
        As for `choose`.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return
    problem = _find_problem(kernel, name)
    if problem:
        raise FreezepackError(f"{VARIABLE} is {problem}")
    kernel.fpk_set_isa(NAMES.index(name))


def _find_problem(kernel: ctypes.CDLL, name: str) -> str:
    available = find_available(kernel)
    if name in available:
        return ""
    return f"{name!r}, expected one that this machine has: {', '.join(available)}"
