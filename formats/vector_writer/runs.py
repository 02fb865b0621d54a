"""Tensors of golden files that share sections: integers on grids, coded together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.grid.step import Step
from freezepack.codecs.joint import JointSpec, encode_joint
from freezepack.digest import digest
from freezepack.format.writer import EncodedTensor, EncodedUnit
from freezepack.types import Base, Draw, DType, Init, SeedBase, TensorSpec, ZerosBase
from vector_writer.tensors import Golden

MOST = 2**20
ONE = Step(1, 0, 0x3F800000)


@dataclass(frozen=True, eq=False)
class Joined(Golden):
    """A tensor in a run.

    Attributes
    ----------
    levels : int64 array
        Its integers, flat.
    step : Step
        Its grid.
    """

    levels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    step: Step = ONE

    def encode(self) -> EncodedTensor:
        """Return the tensor without a section."""
        known = has_integers(self.init)
        parameter = self.step.parameter if known else self.step.bare_parameter
        units = tuple(EncodedUnit(0) for _ in cut(self.spec.shape))
        found = digest(self.content())
        return EncodedTensor(
            self.spec, self.base, self.init, 15, 4, units, found, parameter=parameter
        )

    def spec_of(self, start: int, shape: tuple[int, ...]) -> JointSpec:
        """Return what the codec knows of a part."""
        if not isinstance(self.base, SeedBase):
            return JointSpec(shape)
        stop = start + prod(shape)
        return JointSpec(shape, lambda: self.patterns()[start:stop])


def joined(
    name: str,
    levels: NDArray[np.int64],
    step: Step,
    *,
    dtype: DType = DType.float32,
    base: Base | None = None,
    init: Init | None = None,
) -> Joined:
    """Return a tensor in a run; its shape is that of the integers."""
    spec = TensorSpec(name, levels.shape, dtype)
    flat = levels.reshape(-1)
    positions = np.flatnonzero(flat)
    tensor = Joined(
        spec, base or ZerosBase(), init, positions, np.zeros(0, dtype.raw), "joint", "grid",
        levels=flat, step=step,
    )  # fmt: skip
    integers = tensor.integers()[positions] if has_integers(init) else None
    return replace(tensor, values=step.bits_of(flat[positions], integers, dtype))


def has_integers(init: Init | None) -> bool:
    """Return whether a draw has integers that a grid is moved by."""
    return init is not None and init.draw not in (Draw.constant, Draw.sign)


def cut(shape: tuple[int, ...]) -> list[tuple[int, tuple[int, ...]]]:
    """Return where each unit begins, and its shape as the codec sees it."""
    size = prod(shape)
    if size <= MOST:
        return [(0, shape)]
    row: list[int] = []
    for dimension in reversed(shape[1:]):
        if prod(row) * dimension > MOST:
            break
        row.insert(0, dimension)
    while len(row) > 1 and row[0] == 1:
        del row[0]
    width = prod(row)
    tail = () if width == 1 else tuple(row)
    step = MOST // width * width
    return [(at, (min(step, size - at) // width, *tail)) for at in range(0, size, step)]


def fill_runs(tensors: Sequence[Golden], encoded: Sequence[EncodedTensor]) -> list[EncodedTensor]:
    """Give the first tensor of each run its section; both are in file order."""
    out = list(encoded)
    places = [place for place, tensor in enumerate(tensors) if isinstance(tensor, Joined)]
    for run in _runs(tensors, places):
        members = [tensor for place in run if isinstance(tensor := tensors[place], Joined)]
        parts = cut(members[0].spec.shape) if len(members) == 1 else [(0, ())]
        sections = [_code(members, *part) for part in parts]
        units = tuple(EncodedUnit(0, b"", section) for section in sections)
        out[run[0]] = replace(out[run[0]], units=units)
    return out


def _code(members: Sequence[Joined], start: int, shape: tuple[int, ...]) -> bytes:
    if len(members) > 1:
        specs = [each.spec_of(0, each.spec.shape) for each in members]
        return encode_joint([each.levels for each in members], specs)
    levels = members[0].levels[start : start + prod(shape)]
    return encode_joint([levels], [members[0].spec_of(start, shape)])


def _runs(tensors: Sequence[Golden], places: Sequence[int]) -> Iterator[list[int]]:
    """Yield the places of the tensors of each run."""
    run: list[int] = []
    total = 0
    for place in places:
        size = tensors[place].spec.size
        if size > MOST:
            yield [place]
        elif run and total + size <= MOST and len(run) < 255:
            run.append(place)
            total += size
        else:
            if run:
                yield run
            run, total = [place], size
    if run:
        yield run
