"""The ways in which this machine can draw a base: back ends, and instruction sets of the kernel."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from freezepack import native
from freezepack.bench.speed.threads import TILE
from freezepack.rebuild import BACKENDS
from freezepack.rebuild.backend import Backend
from freezepack.types import DType, Init, Positions, RawArray

KEY = 1
KERNEL = "native"
TORCH = "torch"
TILE_BYTES = 4096
Patch = tuple[Positions, RawArray]
"""Where to replace elements, and by what."""


class Path(Protocol):
    """One way to draw into main memory; `KEY` is the seed."""

    is_slow: bool
    """Whether it takes seconds for a large tensor, and is measured less often."""

    def choose(self) -> None:
        """Make the process draw in this way from now on; called before `fill` and `rebuild`."""
        ...

    def fill(self, out: RawArray, dtype: DType, init: Init) -> None:
        """Write a base."""
        ...

    def rebuild(self, out: RawArray, dtype: DType, init: Init, patch: Patch) -> int:
        """Write a base and its patch and return the digest."""
        ...


class HostPath:
    """A back end of the CPU, split over threads as when a pack is loaded.

    Parameters
    ----------
    backend : Backend
        What draws.
    instructions : str
        Instruction set of the kernel; "" for a back end without.
    """

    def __init__(self, backend: Backend, instructions: str = "") -> None:
        self._backend = backend
        self._instructions = instructions
        self.is_slow = not instructions

    def choose(self) -> None:
        """Hold the kernel to the instruction set."""
        if self._instructions:
            native.set_instruction_set(self._instructions)

    def fill(self, out: RawArray, dtype: DType, init: Init) -> None:
        """Write a base."""
        self._backend.fill(out, dtype, key=KEY, init=init, start=0)

    def rebuild(self, out: RawArray, dtype: DType, init: Init, patch: Patch) -> int:
        """Write a base and its patch and return the digest, in one pass."""
        positions, values = patch

        def part(begin: int, end: int) -> int:
            low, high = np.searchsorted(positions, [begin, end])
            return self._backend.rebuild(
                out[begin:end],
                dtype,
                key=KEY,
                init=init,
                start=begin,
                positions=positions[low:high] - np.uint32(begin),
                values=values[low:high],
                digest=True,
            )

        parts: list[int] = native.map_tiles(part, out.size, TILE)
        return sum(parts) % 2**64


class TorchPath:
    """The back end for devices without a compiler, on the CPU."""

    is_slow = True

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._torch: Any = import_module("torch")

    def choose(self) -> None:
        """Do nothing: there is one way only."""

    def fill(self, out: RawArray, dtype: DType, init: Init) -> None:
        """Write a base."""
        self._backend.fill(self._view(out), dtype, key=KEY, init=init)

    def rebuild(self, out: RawArray, dtype: DType, init: Init, patch: Patch) -> int:
        """Write a base and its patch and return the digest."""
        tensor = self._view(out)
        positions, values = (self._view(array) for array in patch)
        tiles = -(-out.nbytes // TILE_BYTES)
        sums = self._torch.zeros(tiles, dtype=self._torch.int64)
        self._backend.fill(tensor, dtype, key=KEY, init=init, sums=sums)
        self._backend.patch(tensor, positions, values, sums=sums)
        digest = self._torch.zeros(1, dtype=self._torch.int64)
        self._backend.finish(sums, digest)
        return int(digest.item()) % 2**64

    def _view(self, array: RawArray) -> Any:
        return self._torch.from_numpy(array.view(f"i{array.itemsize}"))


@contextmanager
def keep_instruction_set() -> Iterator[None]:
    """Use the same instruction set after the block as before."""
    before = native.get_instruction_set()
    try:
        yield
    finally:
        if before is not None:
            native.set_instruction_set(before)


def list_paths() -> dict[str, Path]:
    """Return the ways that work here by name, the fastest first.

    Examples
    --------
    >>> "numpy" in list_paths()
    True
    """
    found: dict[str, Path] = {}
    for name in BACKENDS:
        backend: Backend = BACKENDS.get_part(name)
        if backend.problem():
            continue
        if name == KERNEL:
            for instructions in reversed(native.instruction_sets()):
                found[f"{name} {instructions}"] = HostPath(backend, instructions)
        else:
            found[name] = HostPath(backend)
    if find_spec("torch"):
        devices: Any = import_module("freezepack.rebuild.torch_devices")
        found[TORCH] = TorchPath(devices.DEVICE_BACKENDS.get_part(TORCH))
    return found
