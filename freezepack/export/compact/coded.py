"""How a graph holds trained values: as floats, as shorter floats, as integers of a grid."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs import value_codec_by_id
from freezepack.codecs.grid.codec import find_integers
from freezepack.codecs.grid.step import Step
from freezepack.format.tables import TensorRecord
from freezepack.random.narrow import narrow
from freezepack.types import DType, RawArray

Kind = Literal["grid", "steps", "float", "constant"]
_KINDS: tuple[Kind, ...] = ("grid", "steps", "float", "constant")
_INFINITE = 0x7F800000


@dataclass(frozen=True, eq=False)
class Coded:
    """Trained values of one tensor.

    Attributes
    ----------
    kind : {"grid", "steps", "float", "constant"}
        Steps from the base's integers; steps from 0; floats; one value for all.
    numbers : array
        int32 for grids, else raw bits; one element for a constant.
    dtype : DType
        Type of `numbers` if they are bits: that of the tensor, or a shorter one that holds
        each of them exactly.
    step : Step or None
        The grid.
    """

    kind: Kind
    numbers: NDArray[Any]
    dtype: DType
    step: Step | None = None
    count: int = 0
    """How often a constant stands."""

    @property
    def order(self) -> tuple[int, str]:
        """Place among the tensors of a group: those that are stored alike stand together."""
        return _KINDS.index(self.kind), f"{self.numbers.dtype.str} {self.dtype.name}"


def code_values(
    record: TensorRecord,
    values: RawArray,
    integers: NDArray[np.int32] | None,
    *,
    exact: bool = False,
) -> Coded:
    """Return trained values in the shortest form that gives their bits again.

    Parameters
    ----------
    values : raw array
        Bits of the trained values, in order of position.
    integers : int32 array or None
        What the base was drawn as at these positions; None if it has no integers.
    exact : bool
        Only plain floats of the tensor's own type.
    """
    dtype = record.spec.dtype
    plain = Coded("float", values, dtype)
    if exact or not values.size:
        return plain
    if values.size > 1 and (values == values[0]).all():
        return Coded("constant", values[:1], dtype, count=values.size)
    grid = _on_grid(record, values, integers)
    shorter = _shorten(values, dtype)
    if grid is None or (shorter and shorter.numbers.nbytes < _grid_bytes(grid)):
        return shorter or plain
    return grid


def _grid_bytes(grid: Coded) -> int:
    """Return about how long the integers of a grid are in a graph."""
    size = np.abs(grid.numbers)
    return grid.numbers.size + int((size >= 64).sum()) + int((size >= 1 << 13).sum())


def _on_grid(
    record: TensorRecord, values: RawArray, integers: NDArray[np.int32] | None
) -> Coded | None:
    """Return values as integers, if the pack holds them so."""
    if value_codec_by_id(record.kind.value_codec).name != "grid":
        return None
    parameter = record.parameter
    if integers is not None and record.init is not None:
        step = Step(parameter[0], parameter[1], record.init.bits)
    else:
        step = Step(1, 0, int.from_bytes(parameter, "little") << 16)
    q = find_integers(values, record.spec.dtype, step, integers)
    if q is None:
        return None
    kind: Kind = "steps" if integers is None else "grid"
    return Coded(kind, q.astype(np.int32), DType.float32, step)


def _shorten(values: RawArray, dtype: DType) -> Coded | None:
    """Return values in a shorter type that holds all of them exactly."""
    if dtype == DType.float64:
        wide = values.view(np.float64)
        with np.errstate(over="ignore", under="ignore"):
            bits: RawArray = wide.astype(np.float32).view(np.uint32)
        if np.isfinite(wide).all() and np.array_equal(narrow(bits, dtype), values):
            return Coded("float", bits, DType.float32)
    if dtype == DType.float32 and not (values & _INFINITE == _INFINITE).any():
        if not (values & 0xFFFF).any():
            return Coded("float", (values >> np.uint32(16)).astype(np.uint16), DType.bfloat16)
        short = narrow(values, DType.float16)
        if np.array_equal(short.view(np.float16).astype(np.float32).view(np.uint32), values):
            return Coded("float", short, DType.float16)
    return None
