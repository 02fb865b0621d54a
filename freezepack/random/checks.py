"""Checks of what a caller asks to be drawn."""

from typing import Any

import numpy as np

from freezepack.types import Positions, RawArray

END = 2**63
"""Positions in a stream are below this."""
_POSITION = np.dtype(np.uint32)


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Raise ValueError unless `low` <= `value` <= `high`."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}, expected {low} to {high}")


def check_place(out: RawArray, dtype: "np.dtype[Any]", key: int, start: int) -> None:
    """Raise ValueError unless elements of `dtype` from `start` on can be written to `out`."""
    check_range("seed", key, 0, 2**64 - 1)
    check_range("start", start, 0, END - out.size)
    if out.dtype != dtype or out.ndim != 1:
        problem = f"out has dtype {out.dtype} and {out.ndim} axes"
        raise ValueError(f"{problem}, expected {dtype} and 1 axis")
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError("out is not contiguous and writeable: fill a copy")


def check_patch(positions: Positions, values: RawArray, out: RawArray) -> None:
    """Raise ValueError unless these are a patch for the elements of `out`."""
    for name, array, dtype in (("positions", positions, _POSITION), ("values", values, out.dtype)):
        if array.dtype != dtype or array.shape != positions.shape or array.ndim != 1:
            problem = f"{name} have dtype {array.dtype} and shape {array.shape}"
            raise ValueError(f"{problem}, expected {dtype} and one axis, of one length")
        if not array.flags.c_contiguous:
            raise ValueError(f"{name} are not contiguous: give a copy")
    if not positions.size:
        return
    if positions.size > 1 and not (positions[1:] > positions[:-1]).all():
        raise ValueError("positions do not increase")
    check_range("last position", int(positions[-1]), 0, out.size - 1)
