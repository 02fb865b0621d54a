"""Back end in integer operations of torch: any device, no compiler.

It works through a tensor in chunks, so beside the tensor it holds some 100 MB at most. Measured
on a CPU only, where it makes 0.08 GB/s of normals (the C++ kernel: 4); on no other device yet.
"""

from functools import cache

import torch
from torch import Tensor

from freezepack.random.philox import make_words as reference_words
from freezepack.random.reference import narrow_bits
from freezepack.random.tiles import TILE
from freezepack.rebuild.torch_devices import integers
from freezepack.rebuild.torch_devices.bits import count_tiles, signed
from freezepack.types import Draw, DType, Init

_CHUNK_BYTES = {"cpu": 1 << 18}
"""Bytes of output at a time, a multiple of the tile; the temporary tensors take 30 times that."""
_DEVICE_CHUNK = 1 << 22
_LOW = integers.LOW
_GOLDEN = 0x9E3779B97F4A7C15
_FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


class TorchBackend:
    """Integer operations of torch, chunk by chunk."""

    name = "torch"

    def problem(self, device: torch.device | None = None) -> str:
        """Return "": every device of torch has these operations, but "meta" has no memory."""
        return "tensors on 'meta' have no content" if device and device.type == "meta" else ""

    def fill(
        self,
        out: Tensor,
        dtype: DType,
        *,
        key: int,
        init: Init,
        start: int = 0,
        sums: Tensor | None = None,
    ) -> None:
        """Write elements `start` to `start + n - 1` of a seeded base into `out`, and its sums."""
        for part in _chunks(out):
            piece = out[part]
            piece.copy_(_make(piece, dtype, key, init, start + part.start))
            if sums is not None:
                sums[_tiles(part, out)] = _sum_tiles(piece)

    def patch(
        self,
        out: Tensor,
        positions: Tensor,
        values: Tensor,
        *,
        offset: int = 0,
        sums: Tensor | None = None,
    ) -> None:
        """Replace elements, and correct the sums."""
        step = _chunk_elements(out)
        for begin in range(0, positions.numel(), step):
            places = positions[begin : begin + step].to(torch.int64) + offset
            words = places // (8 // out.element_size())
            before = _gather(out, words) if sums is not None else None
            out[places] = values[begin : begin + step]
            if sums is not None and before is not None:
                change = _terms(words, _gather(out, words)) - _terms(words, before)
                # A word is counted once, however many of its elements were replaced.
                change[1:] *= words[1:] != words[:-1]
                sums.index_add_(0, words // (TILE // 8), change)

    def sum_tiles(self, out: Tensor, sums: Tensor) -> None:
        """Write the sums of a tensor as it is in memory."""
        for part in _chunks(out):
            sums[_tiles(part, out)] = _sum_tiles(out[part])

    def finish(self, sums: Tensor, digest: Tensor) -> None:
        """Write the digest that belongs to the sums of a whole tensor into `digest[0]`."""
        digest.zero_()
        for begin in range(0, sums.numel(), _DEVICE_CHUNK):
            part = sums[begin : begin + _DEVICE_CHUNK]
            numbers = torch.arange(part.numel(), dtype=torch.int64, device=sums.device)
            z = part + (numbers + begin + 1) * signed(_GOLDEN, 64)
            z = (z ^ _shift(z, 30)) * signed(_FACTORS[0], 64)
            z = (z ^ _shift(z, 27)) * signed(_FACTORS[1], 64)
            digest += (z ^ _shift(z, 31)).sum()


def _make(out: Tensor, dtype: DType, key: int, init: Init, start: int) -> Tensor:
    """Return the elements of a base that go to `out`, as int64."""
    device, count = out.device, out.numel()
    width = 8 * dtype.itemsize
    if init.draw in (Draw.constant, Draw.sign):
        value = signed(int(narrow_bits(init.bits, dtype)), width)
        if init.draw == Draw.constant:
            return torch.full((count,), value, dtype=torch.int64, device=device)
        signs = integers.sign_bits(device, key, init.stream, start, count)
        return _wrap(signs << width - 1 | value, width)
    patterns = integers.make_patterns(device, key, init, start, count)
    return _wrap(integers.narrow(patterns, dtype), width)


def _wrap(values: Tensor, width: int) -> Tensor:
    """Return the low bits as signed integers, so that no conversion leaves its range."""
    return values << 64 - width >> 64 - width


def _chunk_elements(out: Tensor) -> int:
    return _CHUNK_BYTES.get(out.device.type, _DEVICE_CHUNK) // out.element_size()


def _chunks(out: Tensor) -> list[slice]:
    step, size = _chunk_elements(out), out.numel()
    return [slice(begin, min(begin + step, size)) for begin in range(0, size, step)]


def _tiles(part: slice, out: Tensor) -> slice:
    """Return the tiles that a chunk covers; chunks begin with one."""
    per_tile = TILE // out.element_size()
    return slice(part.start // per_tile, -(-part.stop // per_tile))


def _sum_tiles(part: Tensor) -> Tensor:
    """Return H of each tile, the last padded with zeros."""
    padded = torch.nn.functional.pad(
        part, (0, count_tiles(part) * (TILE // part.element_size()) - part.numel())
    )
    words = torch.arange(TILE // 8, device=part.device)
    return _terms(words, _join(padded.view(-1, 8 // part.element_size())).view(-1, TILE // 8)).sum(
        1
    )


def _gather(out: Tensor, words: Tensor) -> Tensor:
    """Return words of 8 bytes, as int64; what is behind the last element is 0."""
    lanes = 8 // out.element_size()
    places = words[:, None] * lanes + torch.arange(lanes, device=out.device)
    found = out[places.clamp(max=out.numel() - 1)]
    return _join(torch.where(places < out.numel(), found, 0))


def _join(rows: Tensor) -> Tensor:
    """Return the elements of each row as one little-endian int64."""
    width = 64 // rows.shape[1]
    places = torch.arange(rows.shape[1], device=rows.device) * width
    low = (1 << width) - 1 if width < 64 else -1
    # The fields do not overlap, so their sum is their union.
    return ((rows.to(torch.int64) & low) << places).sum(1)


def _terms(words: Tensor, content: Tensor) -> Tensor:
    """Return what words add to the sum of their tile; `words` are their numbers."""
    keys = _keys(content.device)[words % (TILE // 8)]
    low = (content & _LOW) + (keys & _LOW)
    high = (content >> 32 & _LOW) + (keys >> 32 & _LOW)
    return content + (low & _LOW) * (high & _LOW)


def _shift(z: Tensor, count: int) -> Tensor:
    """Return `z >> count` without copies of the sign."""
    return z >> count & (1 << 64 - count) - 1


@cache
def _keys(device: torch.device) -> Tensor:
    """Return the key words of the digest, in pairs, as int64."""
    words = reference_words(0, 2**64 - 1, 0, TILE // 4)
    return torch.from_numpy(words.view("<i8").copy()).to(device)


TORCH = TorchBackend()
