"""Tensors that share sections: index and values of all of them in one stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs import INDEX_CODECS, VALUE_CODECS
from freezepack.codecs.base import ValueCodec
from freezepack.codecs.grid.codec import Grid, find_integers
from freezepack.codecs.grid.step import Step, step_of
from freezepack.codecs.joint import MOST_LEVEL, encode_joint
from freezepack.digest import digest
from freezepack.format.runs import RunCounter
from freezepack.format.writer import EncodedTensor, EncodedUnit
from freezepack.pack.encode import INDEX_CHOICES, Option, is_fast
from freezepack.pack.patch import TensorPatch
from freezepack.rebuild.bases import Arrays
from freezepack.rebuild.runs import joint_spec
from freezepack.types import RawArray, TensorSpec

Levels = NDArray[np.int32]
EMPTY_STEP = Step(1, 0, 0x3D800000)
"""The grid of a tensor over zeros in which nothing is trained."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A tensor that can be in a run: its patch, and the integers of what is trained, by unit."""

    patch: TensorPatch
    parameter: bytes
    levels: tuple[Levels, ...]


def may_share(spec: TensorSpec, index: str) -> bool:
    """Return whether a tensor may be in a run, which is decoded step by step."""
    if index == "joint":
        return True
    return index in INDEX_CHOICES and not is_fast(spec.size, index)


def find_shared(patches: Sequence[TensorPatch], codec: ValueCodec | None) -> Shared | None:
    """Return a tensor as a run can hold it, or None if none can.

    A run says of each position only its integer, and 0 stands for one that is not trained: no
    trained value may have the integer 0, and all must lie on one grid.
    """
    for patch in patches:
        step = codec.step if isinstance(codec, Grid) else None
        if step is None and not patch.trained and patch.spec.dtype.is_floating:
            step = EMPTY_STEP
        if step is None or not patch.spec.size:
            continue
        found = _code(patch, step)
        if found is not None:
            return found
    return None


def share(chosen: Sequence[Option], shared: Mapping[str, Shared], arrays: Arrays) -> list[Option]:
    """Return the options in file order with those that can be in runs in place of others."""
    options = list(chosen)
    counter = RunCounter()
    run: list[int] = []
    for place, option in enumerate(chosen):
        found = shared.get(option.tensor.spec.name)
        if found is None:
            continue
        options[place] = _option(found, arrays[option.tensor.spec.name][1])
        if len(found.levels) > 1:
            sections = [_encode([found], number) for number in range(len(found.levels))]
            options[place] = _fill(options[place], sections)
            continue
        if counter.begins(option.tensor.spec.size):
            _close(options, run, shared)
            run = []
        run.append(place)
    _close(options, run, shared)
    return options


def _close(options: list[Option], run: Sequence[int], shared: Mapping[str, Shared]) -> None:
    """Give the first tensor of a run the section of all."""
    if run:
        members = [shared[options[place].tensor.spec.name] for place in run]
        options[run[0]] = _fill(options[run[0]], [_encode(members, 0)])


def _encode(members: Sequence[Shared], unit: int) -> bytes:
    specs = [joint_spec(member.patch.base, unit) for member in members]
    return encode_joint([member.levels[unit] for member in members], specs)


def _fill(option: Option, sections: Sequence[bytes]) -> Option:
    """Return an option with the sections that its record has."""
    parts = zip(option.tensor.units, sections, strict=True)
    units = tuple(replace(unit, values=section) for unit, section in parts)
    nbytes = option.nbytes + sum(map(len, sections))
    return replace(option, tensor=replace(option.tensor, units=units), nbytes=nbytes)


def _option(found: Shared, raw: RawArray) -> Option:
    patch = found.patch
    units = tuple(EncodedUnit(unit.count) for unit in patch.units)
    tensor = EncodedTensor(
        patch.spec,
        patch.claim.base,
        patch.base.init,
        INDEX_CODECS.get_part("joint").id,
        VALUE_CODECS.get_part("grid").id,
        units,
        digest(raw),
        parameter=found.parameter,
    )
    return Option(patch, tensor, len(found.parameter))


def _code(patch: TensorPatch, step: Step) -> Shared | None:
    """Return the integers of a patch on a grid, or None if it has others, or zeros."""
    levels = []
    parameter = b""
    for unit in patch.units:
        base = unit.base_values
        integers = base.integers() if base.integers is not None else None
        parameter = step.bare_parameter if integers is None else step.parameter
        if step_of(parameter, base) != step:
            return None
        q = find_integers(unit.values, patch.spec.dtype, step, integers)
        if q is None or not q.all() or (q.size and np.abs(q).max() > MOST_LEVEL):
            return None
        dense = np.zeros(unit.unit.size, np.int32)
        dense[slice(None) if unit.count == unit.unit.size else unit.positions] = q
        levels.append(dense)
    return Shared(patch, parameter, tuple(levels))
