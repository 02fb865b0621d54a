"""Ranges of tensors that a device makes, and what the host decodes and sends for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from freezepack import native
from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.rebuild.unit import UnitBase, UnitPatch, UnitPatcher
from freezepack.types import SeedBase, TensorSpec, ZerosBase

MOST_BYTES = 1 << 26
"""Positions and values that are decoded and sent at a time."""
MOST_SPAN = 1 << 30
"""Elements that one set of int32 positions may span."""
_ALIGNED = 16
_ADAPTIVE = 8
"""How much longer a unit takes if its sections are decoded step by step."""


@dataclass(frozen=True, slots=True)
class Job:
    """Elements from `start` on of one tensor, to be made on a device.

    Attributes
    ----------
    bits : Tensor
        Where they go, as bits.
    sums : Tensor or None
        Where the sums of the digest's tiles go, if the job is a whole tensor.
    """

    patcher: UnitPatcher
    bits: Tensor
    start: int = 0
    sums: Tensor | None = None

    @property
    def spec(self) -> TensorSpec:
        """Name, shape and type of the whole tensor."""
        return self.patcher.record.spec

    @property
    def width(self) -> int:
        """Integers of `bits` for one element: 2 if it has 16 bytes."""
        return self.spec.dtype.itemsize // self.bits.element_size()

    @property
    def stop(self) -> int:
        """Number of the element behind the last one."""
        return self.start + self.bits.numel() // self.width

    @property
    def is_whole(self) -> bool:
        """Whether all elements are trained, so that there is no base to be made."""
        return self.patcher.record.trained == self.spec.size

    @property
    def has_base(self) -> bool:
        """Whether the device can make the base: of a seed, or zeros."""
        return isinstance(self.patcher.base.base, SeedBase | ZerosBase)

    def units(self) -> list[int]:
        """Return the numbers of the units that have trained elements, and some in the range."""
        record = self.patcher.record
        step = record.layout.unit_positions
        numbers = range(self.start // step, -(-self.stop // step) if self.bits.numel() else 0)
        return [number for number in numbers if record.unit(number).count]


@dataclass(frozen=True, slots=True)
class Patch:
    """What replaces elements of a job, on its device.

    Attributes
    ----------
    offset : int
        Added to the positions; in integers of `job.bits`.
    positions : Tensor or None
        int32; None where `values` are all elements from `offset` on.
    """

    job: Job
    offset: int
    positions: Tensor | None
    values: Tensor


@dataclass(frozen=True, slots=True)
class _Run:
    """Decoded units of one job that are sent as one."""

    job: Job
    offset: int
    positions: list[NDArray[np.uint32]] | None
    values: list[NDArray[np.uint8]]

    def arrays(self) -> list[list[NDArray[np.uint8]]]:
        """Return what is to be sent: values, and positions if there are any."""
        if self.positions is None:
            return [self.values]
        return [self.values, [each.view(np.uint8) for each in self.positions]]


def send_patches(jobs: Sequence[Job], device: torch.device) -> Iterator[Patch]:
    """Decode what is trained in the jobs, in threads, and send it to the device piece by piece.

    Positions are proven to lie in their units before they are sent.

    Raises
    ------
    FormatError
        If a section is damaged or breaks a rule.
    """
    for batch in _batches([(job, number) for job in jobs for number in job.units()]):
        decoded = native.map_items(_decode, batch, sum(map(_cost, batch)))
        found = [(job, *each) for (job, _), each in zip(batch, decoded, strict=True)]
        yield from _send(list(_join(found)), device)


def _batches(units: Sequence[tuple[Job, int]]) -> Iterator[list[tuple[Job, int]]]:
    batch: list[tuple[Job, int]] = []
    nbytes = 0
    for job, number in units:
        more = job.patcher.record.unit(number).count * (4 + job.spec.dtype.itemsize)
        if batch and nbytes + more > MOST_BYTES:
            yield batch
            batch, nbytes = [], 0
        batch.append((job, number))
        nbytes += more
    if batch:
        yield batch


def _cost(item: tuple[Job, int]) -> int:
    """Return about how long decoding a unit takes, in elements."""
    record = item[0].patcher.record
    adaptive = (
        index_codec_by_id(record.kind.index_codec).adaptive
        or value_codec_by_id(record.kind.value_codec).adaptive
    )
    return record.unit(item[1]).count * (_ADAPTIVE if adaptive else 1)


def _decode(item: tuple[Job, int]) -> tuple[int, UnitPatch]:
    """Return what is trained in the part of a unit that lies in a job, and where the part is."""
    job, number = item
    layout = job.patcher.record.layout
    low, size = layout.start(number), layout.unit_size(number)
    patch = job.patcher.decode(number, UnitBase(job.patcher.base, low, size))
    if patch is None:  # of a run nobody knows before it is decoded
        patch = UnitPatch(np.zeros(0, np.uint32), np.zeros(0, job.spec.dtype.raw))
    begin, end = max(low, job.start), min(low + size, job.stop)
    return begin, patch if end - begin == size else patch.cut(begin - low, end - low)


def _join(found: Sequence[tuple[Job, int, UnitPatch]]) -> Iterator[_Run]:
    """Join the patches of units that follow one another in a job."""
    run: _Run | None = None
    for job, begin, patch in found:
        if not patch.values.size:
            continue
        offset = (begin - job.start) * job.width
        values = np.ascontiguousarray(patch.values).view(np.uint8)
        positions = patch.positions
        if positions is None:
            yield _Run(job, offset, None, [values])
            continue
        if run is None or run.job is not job or offset - run.offset > MOST_SPAN:
            if run is not None:
                yield run
            run = _Run(job, offset, [], [])
        if job.width > 1:
            steps = np.arange(job.width, dtype=np.uint32)
            positions = (positions[:, None] * np.uint32(job.width) + steps).reshape(-1)
        if run.positions is not None:
            run.positions.append(positions + np.uint32(offset - run.offset))
            run.values.append(values)
    if run is not None:
        yield run


def _send(runs: Sequence[_Run], device: torch.device) -> Iterator[Patch]:
    """Send everything as one piece of memory."""
    arrays = [group for run in runs for group in run.arrays()]
    sizes = [sum(part.nbytes for part in group) for group in arrays]
    starts = np.cumsum([0, *(-(-size // _ALIGNED) * _ALIGNED for size in sizes)]).tolist()
    staged = np.empty(starts[-1], np.uint8)
    for group, start, size in zip(arrays, starts[:-1], sizes, strict=True):
        np.concatenate(group, out=staged[start : start + size])
    # CUDA has read memory that is not pinned when this returns; others promise nothing.
    sent = torch.from_numpy(staged).to(device, non_blocking=device.type == "cuda")
    places = iter(zip(starts[:-1], sizes, strict=True))
    for run in runs:
        start, size = next(places)
        values = sent[start : start + size].view(run.job.bits.dtype)
        positions = None
        if run.positions is not None:
            start, size = next(places)
            positions = sent[start : start + size].view(torch.int32)
        yield Patch(run.job, run.offset, positions, values)
