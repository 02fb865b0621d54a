"""Sections that several tensors share, decoded once: formats/freezepack-1.md, section 7.1."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.joint import JointSpec, decode_joint
from freezepack.errors import FormatError
from freezepack.format.layout import layout_of
from freezepack.format.reader import PackReader
from freezepack.format.runs import Run
from freezepack.format.tables import TensorRecord
from freezepack.rebuild.base import TensorBase
from freezepack.types import Positions, SeedBase

KEPT = 4
"""Runs whose tensors are remembered, for whoever asks for one tensor after another."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What is trained of one tensor, or of one unit.

    Attributes
    ----------
    positions : uint32 array
        Increasing.
    steps : int32 array
        For each of them the integer on the grid, never 0.
    """

    positions: Positions
    steps: NDArray[np.int32]


class RunDecoder:
    """Decodes runs of a pack, each once as long as it is remembered; for any number of threads.

    Parameters
    ----------
    reader : PackReader
        The open pack.
    base_of : callable
        Returns the base of a tensor.
    """

    def __init__(self, reader: PackReader, base_of: Callable[[TensorRecord], TensorBase]) -> None:
        self._reader = reader
        self._base_of = base_of
        self._lock = threading.Lock()
        self._found: OrderedDict[Run, dict[str, Levels]] = OrderedDict()

    def levels(self, record: TensorRecord, unit: int) -> Levels:
        """Return what is trained of a unit of a tensor in a run.

        Raises
        ------
        FormatError
            If the section is damaged or breaks a rule.
        """
        if record.first_run is None:
            raise ValueError(f"{record.spec.name!r} is in no run")
        run = self._reader.header.runs[record.first_run + unit]
        with self._lock:
            found = self._found.get(run)
            if found is None:
                found = self._found[run] = self._decode(run)
            self._found.move_to_end(run)
            while len(self._found) > KEPT:
                self._found.popitem(last=False)
        return found[record.spec.name]

    def count(self, record: TensorRecord) -> int:
        """Return how many positions of a tensor are trained, in a run or not."""
        if record.trained is not None:
            return record.trained
        return sum(self.levels(record, unit).positions.size for unit in range(record.layout.units))

    def _decode(self, run: Run) -> dict[str, Levels]:
        data = self._reader.run_section(run)
        records = [self._reader.header.tensors[name] for name in run.names]
        specs = [joint_spec(self._base_of(record), run.unit) for record in records]
        try:
            parts = decode_joint(bytes(data), specs, run.offset)
        except FormatError as error:
            raise error.of(run.names[0]) from None
        found = {}
        for name, part in zip(run.names, parts, strict=True):
            positions = np.flatnonzero(part)
            found[name] = Levels(positions.astype(np.uint32), part[positions])
        return found


def joint_spec(base: TensorBase, unit: int) -> JointSpec:
    """Return what the codec knows of a tensor, or of a unit of one that is too large for a run."""
    layout, shape = layout_of(base.spec.shape), base.spec.shape
    size = layout.unit_size(unit)
    if layout.units > 1:
        shape = unit_shape(shape, layout.cols, size)
    if not isinstance(base.base, SeedBase):
        return JointSpec(shape)
    return JointSpec(shape, partial(base.make_patterns, layout.start(unit), size))


def unit_shape(shape: tuple[int, ...], cols: int, size: int) -> tuple[int, ...]:
    """Return the shape of a unit of a large tensor: its rows, and the dimensions of a row.

    Examples
    --------
    >>> unit_shape((3, 700, 1000), 700_000, 700_000)
    (1, 700, 1000)
    >>> unit_shape((4000000,), 1, 1 << 20)
    (1048576,)
    """
    dimensions: list[int] = []
    product = 1
    for dimension in reversed(shape[1:]):
        if product == cols:
            break
        dimensions.insert(0, dimension)
        product *= dimension
    return (size // cols, *dimensions)
