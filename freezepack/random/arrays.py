"""`fill`: seeded numbers into NumPy arrays and torch CPU tensors."""

import sys
from typing import Any

import numpy as np

from freezepack.random.init import make_init
from freezepack.random.raw import fill_raw
from freezepack.types import Draw, DType, RawArray

_NAMES = {name: DType[name] for name in ("float32", "float16", "bfloat16", "float64")}
_SIGNED = {2: "int16", 4: "int32", 8: "int64"}


def fill(
    out: Any,
    *,
    seed: int,
    stream: int = 0,
    draw: Draw | str = "normal",
    scale: float | np.floating = 1.0,
    start: int = 0,
    cut: float | None = None,
    tail: int | None = None,
) -> None:
    """Overwrite `out` with numbers that depend on nothing but the arguments.

    The same arguments give the same bits on every machine, with every number of threads. Element
    i of `out` in C order is element `start + i` of the stream, so any part of a large tensor can
    be made alone.

    Parameters
    ----------
    out : numpy array or torch tensor
        float32, float16, bfloat16 or float64, contiguous, in CPU memory; any shape. Narrow types
        are the float32 numbers rounded once to nearest even, float64 are the same numbers widened.
    seed : int
        0 to 2**64 - 1.
    stream : int
        0 to 2**63 - 1. Different streams of a seed are independent; give each tensor its own.
    draw : {"normal", "uniform", "truncated_normal", "sign", "constant"}
        The distribution; all but the constant are symmetric about 0.
    scale : float
        Standard deviation (normal; truncated normal before it is cut), half-width (uniform),
        magnitude (sign) or value (constant).
    start : int
        Position of the first element in the stream.
    cut, tail : float, int
        Truncated normal only, one of the two: bound in standard deviations, or
        round(2**32 * P(abs(z) > bound)).

    Raises
    ------
    ValueError
        If an argument is out of its range, or `out` is not as described.

    References
    ----------
    formats/generators.md

    Examples
    --------
    >>> weights = np.empty((2, 2), np.float16)
    >>> fill(weights, seed=1, draw="normal", scale=0.5)
    >>> weights.tolist()
    [[0.0689697265625, 0.066162109375], [0.2724609375, -0.18505859375]]
    """
    raw, dtype = _view_raw(out)
    init = make_init(draw, scale, stream=stream, cut=cut, tail=tail)
    fill_raw(raw, dtype, key=seed, init=init, start=start)


def _view_raw(out: Any) -> tuple[RawArray, DType]:
    """Return the memory of an array or tensor as a raw array, and its element type."""
    # A torch tensor exists only if torch was imported: this module never imports it.
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(out, torch.Tensor):
        dtype = _find_dtype(str(out.dtype).removeprefix("torch."))
        if out.device.type != "cpu":
            raise ValueError(f"out is on {out.device}, expected cpu: fill there and move it")
        if out.layout != torch.strided or not out.is_contiguous():
            raise ValueError("out is not contiguous: fill out.contiguous() and copy it back")
        flat = out.detach().view(-1).view(getattr(torch, _SIGNED[dtype.itemsize]))
        return flat.numpy().view(dtype.raw), dtype
    if not isinstance(out, np.ndarray):
        raise ValueError(f"out is a {type(out).__name__}, expected a numpy array or torch tensor")
    dtype = _find_dtype(out.dtype.name)
    if not out.dtype.isnative:
        raise ValueError(f"out has dtype {out.dtype}, expected native byte order")
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError("out is not contiguous and writeable: fill a copy")
    return out.reshape(-1).view(dtype.raw), dtype


def _find_dtype(name: str) -> DType:
    if name not in _NAMES:
        raise ValueError(f"out has dtype {name}, expected {', '.join(_NAMES)}")
    return _NAMES[name]
