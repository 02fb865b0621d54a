"""Most memory that opening and loading a pack takes, each in a process of its own.

python benchmarks/memory.py [--threads 2] [--json]

The pack holds one matrix of 5,000 x 5,000 float32 weights (100 MB), seeded, of which 1 % are
trained; `claim` is a file of 60 bytes that promises a seeded matrix of 100 GB. `growth` is the
highest resident memory during the call less that before it, after imports; for `load_into` the
model is there already, written to. `asked` is the size of the result. Linux only: the peak is
VmHWM, reset before the call where the system allows it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import freezepack
import freezepack.numpy
import freezepack.random
from freezepack import native
from freezepack.format.layout import layout_of
from freezepack.format.writer import EncodedPack, EncodedTensor, EncodedUnit, write_pack
from freezepack.random import make_init
from freezepack.slicing import Index
from freezepack.types import DType, SeedBase, TensorSpec

SHAPE, CLAIM = (5000, 5000), (2_500_000, 10_000)
SEED, SCALE, DENSITY = 1, 0.02, 0.01
MB = 1e6
Call = Callable[[], Sequence[Any]]
"""Returns the tensors that it made."""


def main() -> None:
    """Write the files and print one line for each call, or make one call and print its numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--call", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        native.set_num_threads(options.threads)
        print(json.dumps(measure(CALLS[options.call](options.folder))))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        found = {call: start(call, folder, options.threads) for call in CALLS}
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(f"{'':28}{'growth MB':>11}{'asked MB':>11}{'ms':>9}")
    for call, numbers in found.items():
        print(f"{call:28}" + "{growth:11.1f}{asked:11.1f}{ms:9.1f}".format(**numbers))


def write(folder: Path) -> None:
    """Write the two files."""
    weights = np.empty(SHAPE, np.float32)
    freezepack.random.fill(weights, seed=SEED, draw="normal", scale=SCALE)
    mask = np.random.default_rng(SEED).random(SHAPE, np.float32) < DENSITY
    weights[mask] += np.float32(SCALE)
    init = {"weight": ("normal", SCALE)}
    masks = {"weight": mask}
    for index in ("fast", "small"):
        data = freezepack.numpy.save(
            {"weight": weights}, seed=SEED, init=init, masks=masks, index=index
        )
        (folder / f"{index}.fpk").write_bytes(data)
    spec = TensorSpec("weight", CLAIM, DType.float32)
    units = (EncodedUnit(0),) * layout_of(CLAIM).units
    tensor = EncodedTensor(spec, SeedBase(SEED), make_init("normal", SCALE), 0, 0, units, 0)
    (folder / "claim.fpk").write_bytes(b"".join(write_pack(EncodedPack([tensor]))))


def start(call: str, folder: str, threads: int) -> dict[str, float]:
    """Make one call in a fresh process."""
    options = ["--call", call, "--folder", folder, "--threads", str(threads)]
    done = subprocess.run(
        [sys.executable, __file__, *options], stdout=subprocess.PIPE, text=True, check=True
    )
    numbers: dict[str, float] = json.loads(done.stdout)
    return numbers


def measure(call: Call) -> dict[str, float]:
    """Return growth and result in megabytes, and milliseconds."""
    reset = Path("/proc/self/clear_refs")
    reset.write_text("5")
    before, begin = status("VmRSS"), time.perf_counter()
    made = call()
    elapsed = time.perf_counter() - begin
    asked = sum(part.nbytes for part in made)
    return {"growth": (status("VmHWM") - before) / MB, "asked": asked / MB, "ms": 1e3 * elapsed}


def status(field: str) -> int:
    """Return bytes that the system says of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def sliced(index: Index, name: str = "fast.fpk") -> Callable[[Path], Call]:
    """Return what makes a call that opens a pack and takes a slice."""

    def prepare(folder: Path) -> Call:
        def call() -> Sequence[Any]:
            with freezepack.open(folder / name) as file:
                return [file.get_slice("weight")[index]]

        return call

    return prepare


def opened(name: str) -> Callable[[Path], Call]:
    """Return what makes a call that opens a pack."""

    def prepare(folder: Path) -> Call:
        def call() -> Sequence[Any]:
            freezepack.open(folder / name).close()
            return []

        return call

    return prepare


def tensor(folder: Path) -> Call:
    """Return a call that opens a pack and makes its tensor."""

    def call() -> Sequence[Any]:
        with freezepack.open(folder / "fast.fpk") as file:
            return [file.get_tensor("weight")]

    return call


def loaded(framework: str, name: str) -> Callable[[Path], Call]:
    """Return what makes a call that loads a pack for a framework."""

    def prepare(folder: Path) -> Call:
        module = freezepack.numpy
        if framework == "torch":
            import freezepack.torch as module  # type: ignore[no-redef]
        return lambda: list(module.load_file(folder / name).values())

    return prepare


def filled(folder: Path) -> Call:
    """Return a call that loads a pack into a model whose memory is there."""
    import torch

    import freezepack.torch

    model = torch.nn.Linear(*SHAPE[::-1], bias=False)

    def call() -> Sequence[Any]:
        freezepack.torch.load_into(model, folder / "fast.fpk")
        return []

    return call


CALLS: dict[str, Callable[[Path], Call]] = {
    "open": opened("fast.fpk"),
    "open, claim of 100 GB": opened("claim.fpk"),
    "get_slice, one row": sliced(7),
    "get_slice, 500 rows": sliced(slice(100, 600)),
    "get_slice, one column": sliced((slice(None), 3)),
    "get_slice of the claim": sliced(slice(10**6, 10**6 + 2), "claim.fpk"),
    "get_tensor": tensor,
    "load_file, numpy": loaded("numpy", "fast.fpk"),
    "load_file, torch": loaded("torch", "fast.fpk"),
    "load_file, numpy, small": loaded("numpy", "small.fpk"),
    "load_into": filled,
}


if __name__ == "__main__":
    main()
