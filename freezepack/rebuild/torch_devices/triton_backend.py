"""Back end in Triton: what `triton_kernels` does, launched on tensors of a device.

Kernels are compiled when they are first used, some seconds in all, and kept on disk by Triton.

Bit-equal to the reference in the interpreters of Triton 3.6 and 3.9, and compiled there for sm_80
and sm_90 without a device: no fused and no added floats, stores of 128 bits. Instructions counted
in the code for sm_90 of Triton 3.9: 55 for a normal float32, 63 with its share of the digest; 26
and 35 for a uniform one. Not run on a card yet: neither the speed nor how many warps and tiles a
program should have is measured. `benchmarks/gpu.sh` does both.
"""

import os
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from freezepack.random.philox import make_words
from freezepack.random.reference import narrow_bits
from freezepack.random.table import NORMAL_TABLE
from freezepack.random.tiles import TILE
from freezepack.rebuild.torch_devices.bits import count_tiles, halves, signed
from freezepack.types import Draw, DType, Init

PATCH_LANES = 256
FINISH_LANES = 1024
FILL_WARPS = 4
TILES = 1
"""Tiles of the digest that a program makes."""
INTERPRETED_TILES, INTERPRETED_LANES = 16, 8192
"""In the interpreter, which takes as long for a large program as for a small one."""


class TritonBackend:
    """Kernels in Triton; with TRITON_INTERPRET=1 they run on the CPU, for tests."""

    name = "triton"

    def problem(self, device: torch.device | None = None) -> str:
        """Return why this back end cannot be used on a device (None: on any), or ""."""
        if find_spec("triton") is None:
            return "Triton is not installed: pip install 'freezepack[triton]'"
        if _is_interpreted():
            return "" if device is None or device.type == "cpu" else "TRITON_INTERPRET=1 is set"
        if device is not None and device.type != "cuda":
            return f"tensors are on {device.type!r}, expected 'cuda'"
        return "" if torch.cuda.is_available() else "torch finds no CUDA or ROCm device"

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
        if init.draw == Draw.constant:
            out.fill_(signed(int(narrow_bits(init.bits, dtype)), 8 * dtype.itemsize))
            if sums is not None:
                self.sum_tiles(out, sums)
            return
        per_tile = TILE // out.element_size()
        group = _tiles_a_program()
        whole = 0 if start % 4 else out.numel() // (per_tile * group) * group
        split = whole * per_tile
        parts = (
            (out[:split], start, None if sums is None else sums[:whole], True),
            (out[split:], start + split, None if sums is None else sums[whole:], False),
        )
        for part, first, part_sums, full in parts:
            if part.numel():
                _fill(part, dtype, key=key, init=init, start=first, sums=part_sums, full=full)

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
        count = positions.numel()
        if not count:
            return
        with _on(out):
            lanes = INTERPRETED_LANES if _is_interpreted() else PATCH_LANES
            _kernels().patch_kernel[(-(-count // lanes),)](
                out,
                out if sums is None else sums,
                _keys(out.device),
                positions,
                values,
                count,
                *halves(offset),
                *halves(out.numel()),
                SIZE=out.element_size(),
                DIGEST=sums is not None,
                LANES=lanes,
            )

    def sum_tiles(self, out: Tensor, sums: Tensor) -> None:
        """Write the sums of a tensor as it is in memory."""
        if not out.numel():
            return
        with _on(out):
            _kernels().sums_kernel[(-(-count_tiles(out) // _tiles_a_program()),)](
                out,
                sums,
                _keys(out.device),
                *halves(out.numel()),
                SIZE=out.element_size(),
                TILES=_tiles_a_program(),
            )

    def finish(self, sums: Tensor, digest: Tensor) -> None:
        """Write the digest that belongs to the sums of a whole tensor into `digest[0]`."""
        digest.zero_()
        if not sums.numel():
            return
        with _on(sums):
            _kernels().finish_kernel[(-(-sums.numel() // FINISH_LANES),)](
                sums, digest, sums.numel(), LANES=FINISH_LANES
            )


def _fill(
    out: Tensor,
    dtype: DType,
    *,
    key: int,
    init: Init,
    start: int,
    sums: Tensor | None,
    full: bool,
) -> None:
    """Launch one form of the kernel: full tiles only, or any range."""
    per_tile = TILE // out.element_size()
    skip = start % 4
    with _on(out):
        tiles = -(-(skip + out.numel()) // per_tile)
        _kernels().fill_kernel[(-(-tiles // _tiles_a_program()),)](
            out,
            out if sums is None else sums,
            _table(out.device),
            _keys(out.device),
            *halves(start // 4),
            *halves(key),
            *halves(init.stream),
            signed(init.bits, 32),
            signed(init.tail, 32),
            skip,
            *halves(out.numel()),
            DRAW=int(init.draw),
            DTYPE=int(dtype),
            DIGEST=sums is not None,
            FULL=full,
            LANES=per_tile // 4,
            TILES=_tiles_a_program(),
            num_warps=FILL_WARPS,
            enable_fp_fusion=False,
        )


def _is_interpreted() -> bool:
    return os.environ.get("TRITON_INTERPRET") == "1"


def _tiles_a_program() -> int:
    return INTERPRETED_TILES if _is_interpreted() else TILES


@cache
def _kernels() -> Any:
    # Triton reads TRITON_INTERPRET when it is imported.
    return import_module("freezepack.rebuild.torch_devices.triton_kernels")


def _on(tensor: Tensor) -> AbstractContextManager[Any]:
    """Make the tensor's device the current one: kernels run there."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


@cache
def _table(device: torch.device) -> Tensor:
    """Return the table of the normal draw, C0 to C5, 32 rows each."""
    return torch.from_numpy(NORMAL_TABLE.astype("<u4").view("<i4").reshape(-1)).to(device)


@cache
def _keys(device: torch.device) -> Tensor:
    """Return the key words of the digest."""
    return torch.from_numpy(make_words(0, 2**64 - 1, 0, TILE // 4).view("<i4")).to(device)


TRITON = TritonBackend()
