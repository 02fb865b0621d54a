"""Tensors of an open pack made on a device: only positions and values are sent there.

The host decodes index and values; base, patch and digest are work of the device, and it waits for
the device once, when the digests are compared. A codec that looks at the base gets it from the
CPU, unit by unit, so packs for a GPU are loaded fastest if they were packed with the index `fast`,
which has no such codec.

A base that is a checkpoint or an earlier pack is not on the device: such tensors are made by the
CPU and sent whole, in pieces. Their digests too are computed on the device.

Measured on a CPU only: decoding takes 9 ms of one thread for 268 MB of float32 with 1 % trained
(codec `gaps`). Whether memory that is not pinned and one launch for each tensor cost much beside
that on a card is not known yet; benchmarks/gpu.sh tells.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor

from freezepack import native
from freezepack.format.reader import PackReader
from freezepack.format.tables import TensorRecord
from freezepack.random.philox import make_words
from freezepack.random.tiles import TILE
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.rebuild.torch_devices.backend import DeviceBackend
from freezepack.rebuild.torch_devices.bits import (
    bits_of,
    bits_type,
    count_tiles,
    empty_tensor,
    signed,
    torch_type,
)
from freezepack.rebuild.torch_devices.jobs import Job, send_patches
from freezepack.rebuild.unit import UnitPatcher
from freezepack.slicing import Index, Piece, answer_shape, split
from freezepack.types import SeedBase, ZerosBase

_PIECE = 1 << 24
"""Elements that the CPU makes at a time of a tensor whose base the device cannot make."""


class DeviceRebuilder(Rebuilder):
    """Makes the tensors of a pack on one device, or in main memory as any `Rebuilder`.

    Parameters
    ----------
    reader : PackReader
        The open pack. Stays the caller's, who closes it.
    device : torch.device or str
        Where the tensors go.
    device_backend : DeviceBackend
        What makes them there.
    **options
        As for `Rebuilder`.
    """

    def __init__(
        self,
        reader: PackReader,
        *,
        device: torch.device | str,
        device_backend: DeviceBackend,
        **options: Any,
    ) -> None:
        super().__init__(reader, **options)
        self.device = torch.device(device)
        self.device_backend = device_backend

    def device_tensor(self, name: str) -> Tensor:
        """Make a whole tensor on the device and compare its digest.

        Raises
        ------
        LimitError
            If it has more than `max_bytes`; nothing is allocated then.
        BaseMismatchError, FormatError
            As for `tensor`.
        """
        record = self._check_record(name)
        out = empty_tensor(record.spec, self.device)
        self._fill_records([record], [out])
        return out

    def device_tensors(self) -> dict[str, Tensor]:
        """Make all tensors but aliases on the device, in file order, and compare the digests.

        Raises
        ------
        LimitError
            If all together have more than `max_bytes`; nothing is allocated then.
        BaseMismatchError, FormatError
            As for `tensor`.
        """
        self.check_limit()
        self.reader.expect_all()
        records = list(self.header.tensors.values())
        outs = [empty_tensor(record.spec, self.device) for record in records]
        self._compare_all(self._make(records, outs))
        return dict(zip(self.header.tensors, outs, strict=True))

    def fill_device_tensors(self, targets: Mapping[str, Tensor]) -> None:
        """Make whole tensors in memory of the device that is there already, compare the digests.

        Parameters
        ----------
        targets : mapping of name to Tensor
            Contiguous, on the device, of the shape and type in the pack. Overwritten; after an
            error they may hold anything.

        Raises
        ------
        ValueError
            If a tensor is not as described.
        LimitError
            If one has more than `max_bytes`.
        BaseMismatchError, FormatError
            As for `tensor`. A pack with one digest for all is compared before anything changes.
        """
        for name, out in targets.items():
            spec = self.record(name).spec
            found = f"the tensor given for {name!r} is"
            wanted = torch_type(spec.dtype)
            if (tuple(out.shape), out.dtype) != (spec.shape, wanted):
                problem = f"{found} {out.dtype} {list(out.shape)}"
                raise ValueError(f"{problem}, expected {wanted} {list(spec.shape)}")
            if not out.is_contiguous():
                raise ValueError(f"{found} not contiguous: fill another and copy it")
        records = [self._check_record(name) for name in targets]
        self._fill_records(records, list(targets.values()))

    def device_part(self, name: str, index: Index) -> Tensor:
        """Make what an index asks for of a tensor on the device; as `part`.

        Returns
        -------
        Tensor in the shape of the answer
            With memory of its own. Beside it, a unit for each thread of the host is held.
        """
        record = self.record(name)
        spec = record.spec
        shape = answer_shape(spec.shape, index)
        self._check_bytes(prod(shape) * spec.dtype.itemsize, spec.name)
        out = torch.empty(shape, dtype=torch_type(spec.dtype), device=self.device)
        if not out.numel():
            return out
        patcher = self.patcher(record)
        pieces = list(split(spec.shape, index, patcher.layout.unit_positions))
        runs = [piece for piece in pieces if piece.cut.is_run]
        self._make_blocks(patcher, runs, [out[_place(piece)] for piece in runs])
        others = [piece for piece in pieces if not piece.cut.is_run]
        step = native.get_num_threads()
        for first in range(0, len(others), step):
            batch = others[first : first + step]
            blocks = [out.new_empty(piece.cut.shape) for piece in batch]
            self._make_blocks(patcher, batch, blocks)
            for piece, block in zip(batch, blocks, strict=True):
                out[_place(piece)] = _take(block, piece.cut.rest)
        return out

    def _make_blocks(
        self, patcher: UnitPatcher, pieces: Sequence[Piece], blocks: Sequence[Tensor]
    ) -> None:
        """Write the ranges that pieces come from, as they are in C order."""
        dtype = patcher.record.spec.dtype
        pairs = zip(pieces, blocks, strict=True)
        self._run([Job(patcher, bits_of(block, dtype), piece.cut.start) for piece, block in pairs])

    def patcher_of(self, name: str) -> UnitPatcher:
        """Return what decodes the patch of a tensor."""
        return self.patcher(self.record(name))

    def _check_record(self, name: str) -> TensorRecord:
        record = self.record(name)
        self._check_bytes(record.spec.nbytes, record.spec.name)
        self._check_model_for(record)
        return record

    def _check_model(self) -> None:
        """Compare the digests of all tensors, made on the device one after the other."""
        found: list[Tensor] = []
        for record in self.header.tensors.values():
            found.append(self._digests_of([record], [empty_tensor(record.spec, self.device)]))
        self._compare_all(_numbers(torch.cat(found)) if found else [])

    def _fill_records(self, records: Sequence[TensorRecord], outs: Sequence[Tensor]) -> None:
        """Make tensors and compare the digests, which are known."""
        for record, found in zip(records, self._make(records, outs), strict=True):
            name = record.spec.name
            wanted = self._digests[name] if record.digest is None else record.digest
            self._compare(wanted, found, name)

    def _make(self, records: Sequence[TensorRecord], outs: Sequence[Tensor]) -> list[int]:
        """Make tensors, and return the digests once the device has them all."""
        return _numbers(self._digests_of(records, outs))

    def _digests_of(self, records: Sequence[TensorRecord], outs: Sequence[Tensor]) -> Tensor:
        """Make tensors; return their digests, which the device may have yet to compute."""
        jobs = []
        for record, out in zip(records, outs, strict=True):
            bits = bits_of(out, record.spec.dtype)
            sums = torch.empty(count_tiles(bits), dtype=torch.int64, device=self.device)
            jobs.append(Job(self.patcher(record), bits, 0, sums))
        self._run(jobs)
        digests = torch.empty(len(jobs), dtype=torch.int64, device=self.device)
        for number, job in enumerate(jobs):
            if job.sums is not None:
                self.device_backend.finish(job.sums, digests[number : number + 1])
        return digests

    def _run(self, jobs: Sequence[Job]) -> None:
        """Make bases, then patches as they are decoded, then the sums that are still missing."""
        ours = [job for job in jobs if job.has_base or job.is_whole]
        for job in ours:
            if not job.is_whole:
                self._fill_base(job)
        for patch in send_patches(ours, self.device):
            job, count = patch.job, patch.values.numel()
            if job.is_whole:
                job.bits[patch.offset : patch.offset + count] = patch.values
                continue
            positions = patch.positions
            if positions is None:
                positions = torch.arange(count, dtype=torch.int32, device=self.device)
            self.device_backend.patch(
                job.bits, positions, patch.values, offset=patch.offset, sums=job.sums
            )
        for job in jobs:
            if not (job.has_base or job.is_whole):
                self._send_whole(job)
            if job.sums is not None and (job.is_whole or not job.has_base):
                self.device_backend.sum_tiles(job.bits, job.sums)

    def _fill_base(self, job: Job) -> None:
        base, record = job.patcher.base.base, job.patcher.record
        if isinstance(base, ZerosBase):
            job.bits.zero_()
            if job.sums is not None:
                job.sums.fill_(_sum_of_zeros())
        elif isinstance(base, SeedBase) and record.init is not None:
            self.device_backend.fill(
                job.bits,
                record.spec.dtype,
                key=base.seed,
                init=record.init,
                start=job.start,
                sums=job.sums,
            )

    def _send_whole(self, job: Job) -> None:
        """Make elements on the CPU, and send them."""
        for begin in range(job.start, job.stop, _PIECE):
            raw = self.elements(job.spec.name, begin, min(begin + _PIECE, job.stop))
            signed_type = str(bits_type(job.spec.dtype)).removeprefix("torch.")
            place = (begin - job.start) * job.width
            piece = torch.from_numpy(raw.view(signed_type))
            job.bits[place : place + piece.numel()] = piece.to(self.device)


def _numbers(digests: Tensor) -> list[int]:
    """Wait for the digests, and return them as 0 to 2**64 - 1."""
    return [value % 2**64 for value in digests.tolist()]


def _place(piece: Piece) -> Any:
    """Return the index of a piece in the answer; with the ellipsis it always gives a view."""
    return (*piece.place, Ellipsis)


def _take(block: Tensor, index: Sequence[int | slice]) -> Tensor:
    """Return a view of what an index asks for; torch's own slices have no negative steps."""
    axis = 0
    for item in index:
        if not isinstance(item, slice):
            block = block.select(axis, item)
            continue
        numbers = range(*item.indices(block.shape[axis]))
        low, high = sorted((numbers[0], numbers[-1]))
        rows = (slice(None),) * axis + (slice(low, high + 1, abs(numbers.step)),)
        block = block[rows] if numbers.step > 0 else block[rows].flip(axis)
        axis += 1
    return block


@cache
def _sum_of_zeros() -> int:
    """Return H of a tile of zeros, as a signed integer."""
    words = make_words(0, 2**64 - 1, 0, TILE // 4).tolist()
    total = sum(low * high for low, high in zip(words[0::2], words[1::2], strict=True))
    return signed(total % 2**64, 64)
