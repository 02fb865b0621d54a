"""Speed of rebuilding on a GPU, beside its memory and torch's own generator, and of loading packs.

python benchmarks/gpu.py [--device cuda] [--elements N] [--bytes N] [--rounds 15] [--out DIR]

First table: GB/s of output for every back end, draw and element type, alone, with the digest, and
with digest and a patch of 1 %; `copy` is the ratio to a copy within the device (its output counted
once) in the same round. Second: the forms of the Triton kernel (warps and digest tiles of a
program). Third: whole loads of float32 matrices filled from a seed, 1 % of which have moved, with
files in the page cache, to the device and waiting for it; `decoded` is the part of the CPU. All
candidates of a table take turns; figures are medians.

The tables are printed, and written to DIR/gpu.md. `--device cpu` tries the program without a GPU;
its figures mean nothing. `benchmarks/gpu.sh` runs this and all tests that need a GPU.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import freezepack.random
import freezepack.torch
from freezepack.bench.machine import describe_machine
from freezepack.random import make_init
from freezepack.rebuild.torch_devices import DEVICE_BACKENDS, HOST, triton_backend
from freezepack.rebuild.torch_devices.backend import DeviceBackend
from freezepack.rebuild.torch_devices.bits import bits_type, count_tiles, torch_type
from freezepack.rebuild.torch_devices.jobs import Job, send_patches
from freezepack.types import Draw, DType

Work = Callable[[], object]
Times = dict[str, list[float]]
SEED, SCALE, DENSITY = 1, 0.02, 0.01
ROW = 4096
"""Columns of the matrices that are loaded."""
MOST_LOADS = 7
"""Rounds of the last table, which takes seconds each."""
FORMS = [(warps, tiles) for warps in (1, 2, 4, 8) for tiles in (1, 2, 4)]


def main() -> None:
    """Measure, print the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--elements", type=int, default=1 << 28)
    parser.add_argument("--bytes", type=int, default=1 << 30)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    device = torch.device(options.device)
    lines = [f"- {name}: {value}" for name, value in describe_machine().items()]
    lines.append(f"- device: {describe(device)}, torch {torch.__version__}")
    lines.append(f"- medians of {options.rounds} rounds\n")
    tables = (
        kernel_table(device, options.elements, options.rounds),
        form_table(device, options.elements, options.rounds),
        load_table(device, options.bytes, options.rounds),
    )
    for table in tables:
        lines += table
    text = "\n".join(lines) + "\n"
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gpu.md").write_text(text)


def describe(device: torch.device) -> str:
    """Return the name of the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def available(device: torch.device) -> list[DeviceBackend]:
    """Return the back ends that work on the device."""
    parts: list[DeviceBackend] = [DEVICE_BACKENDS.get_part(name) for name in DEVICE_BACKENDS]
    return [part for part in parts if not part.problem(device)]


def wait(device: torch.device) -> None:
    """Wait until the device has done its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Work, device: torch.device, calls: int) -> float:
    """Return how long the device takes for one call."""
    if device.type != "cuda":
        begin = time.perf_counter()
        for _ in range(calls):
            work()
        return (time.perf_counter() - begin) / calls
    first = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    last = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    first.record()
    for _ in range(calls):
        work()
    last.record()
    torch.cuda.synchronize(device)
    return float(first.elapsed_time(last)) / 1000 / calls


def timed(device: torch.device, name: str, work: Work) -> float:
    """Return the seconds of one call; of a fast one, as a part of four."""
    return seconds(work, device, 4 if device.type == "cuda" and "torch " not in name else 1)


def take_turns(
    cases: Mapping[str, Work], measure: Callable[[str, Work], float], rounds: int
) -> Times:
    """Return the seconds of every case and round, after one round that does not count."""
    times: Times = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, work in cases.items():
            found = measure(name, work)
            if number:
                times[name].append(found)
    return times


def ratio(times: Times, name: str, other: str) -> float:
    """Return how many times faster `name` is than `other`: the median of the rounds."""
    pairs = zip(times[other], times[name], strict=True)
    return statistics.median(slow / fast for slow, fast in pairs)


def kernel_table(device: torch.device, elements: int, rounds: int) -> list[str]:
    """Measure the back ends on tensors of the same number of bytes."""
    nbytes = 4 * elements
    memory = torch.empty(nbytes, dtype=torch.uint8, device=device)
    source = torch.ones_like(memory)
    floats = memory.view(torch.float32)
    cases: dict[str, Work] = {
        "copy": partial(memory.copy_, source),
        "normal_ of torch, float32": partial(floats.normal_, 0.0, SCALE),
        "uniform_ of torch, float32": partial(floats.uniform_, -SCALE, SCALE),
    }
    for backend in available(device):
        for draw in (Draw.normal, Draw.uniform, Draw.truncated_normal, Draw.sign):
            for dtype in (DType.float32, DType.bfloat16, DType.float16, DType.float64):
                # The back end that is there for any device takes too long for all of them.
                wanted = backend.name == "triton" or draw == Draw.normal
                if dtype == DType.float32 or (wanted and draw in (Draw.normal, Draw.uniform)):
                    for name, work in fills(backend, draw, dtype, memory):
                        cases[f"{backend.name} {draw.name} {dtype.name}{name}"] = work
    times = take_turns(cases, partial(timed, device), rounds)
    lines = [
        f"Output of {nbytes:,} bytes:\n",
        "| what | GB/s | copy |",
        "|---|---|---|",
    ]
    for name in cases:
        speed = nbytes / statistics.median(times[name]) / 1e9
        lines.append(f"| {name} | {speed:,.1f} | {ratio(times, name, 'copy'):.3f} |")
    return [*lines, ""]


def fills(
    backend: DeviceBackend, draw: Draw, dtype: DType, memory: Tensor
) -> Iterator[tuple[str, Work]]:
    """Yield making a base alone, with its digest, and with digest and patch."""
    out = memory.view(bits_type(dtype))
    cut = 2.0 if draw == Draw.truncated_normal else None
    init = make_init(draw, SCALE, stream=3, cut=cut)
    sums = torch.empty(count_tiles(out), dtype=torch.int64, device=out.device)
    digest = torch.empty(1, dtype=torch.int64, device=out.device)
    positions = torch.arange(7, out.numel(), round(1 / DENSITY), device=out.device)
    positions = positions.to(torch.int32)
    values = torch.ones_like(positions, dtype=out.dtype)
    fill = partial(backend.fill, out, dtype, key=SEED, init=init)

    def with_digest() -> None:
        fill(sums=sums)
        backend.finish(sums, digest)

    def with_patch() -> None:
        fill(sums=sums)
        backend.patch(out, positions, values, sums=sums)
        backend.finish(sums, digest)

    yield "", fill
    yield " + digest", with_digest
    yield " + digest + patch", with_patch


def form_table(device: torch.device, elements: int, rounds: int) -> list[str]:
    """Measure the forms of the Triton kernel that differ in nothing but speed."""
    if triton_backend.TRITON.problem(device) or device.type != "cuda":
        return []
    memory = torch.empty(4 * elements, dtype=torch.uint8, device=device)
    lines = ["Forms of the kernel, GB/s with digest:\n", "| draw | warps | tiles | GB/s |"]
    lines.append("|---|---|---|---|")
    for draw, dtype in ((Draw.normal, DType.float32), (Draw.normal, DType.bfloat16)):
        work = dict(fills(triton_backend.TRITON, draw, dtype, memory))[" + digest"]
        cases: dict[str, Work] = {
            f"{warps} | {tiles}": partial(in_form, work, warps, tiles) for warps, tiles in FORMS
        }
        times = take_turns(cases, partial(timed, device), rounds)
        for name, found in times.items():
            speed = memory.numel() / statistics.median(found) / 1e9
            lines.append(f"| {draw.name} {dtype.name} | {name} | {speed:,.1f} |")
    return [*lines, ""]


def in_form(work: Work, warps: int, tiles: int) -> None:
    """Call `work` with another number of warps and tiles of a program."""
    before = triton_backend.FILL_WARPS, triton_backend.TILES
    triton_backend.FILL_WARPS, triton_backend.TILES = warps, tiles
    try:
        work()
    finally:
        triton_backend.FILL_WARPS, triton_backend.TILES = before


def load_table(device: torch.device, nbytes: int, rounds: int) -> list[str]:
    """Measure loading the same tensors from packs and from dense files."""
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), nbytes)
        cases = {name: partial(load, device) for name, load in loaders(files, device)}
        times = take_turns(cases, lambda _, work: wall(work, device), min(rounds, MOST_LOADS))
        state = {name: work() for name, work in cases.items() if "decoded" not in name}
        sizes = {name: path.stat().st_size / 1e6 for name, path in files.items()}
    check(state)
    lines = [
        f"Loading {nbytes:,} bytes of tensors:\n",
        "| what | file, MB | ms | safetensors |",
        "|---|---|---|---|",
    ]
    for name in cases:
        size = sizes[name.split(",")[0]]
        times_faster = ratio(times, name, "dense.safetensors")
        median = 1000 * statistics.median(times[name])
        lines.append(f"| {name} | {size:,.1f} | {median:,.1f} | {times_faster:.2f} |")
    return [*lines, ""]


def write(folder: Path, nbytes: int) -> dict[str, Path]:
    """Write the same matrices in all forms."""
    import safetensors.torch

    rng = np.random.default_rng(SEED)
    count = 16 if nbytes >= 1 << 28 else 2
    state: dict[str, Tensor] = {}
    for number in range(count):
        weights = np.empty((nbytes // 4 // ROW // count, ROW), np.float32)
        freezepack.random.fill(weights, seed=SEED, stream=number, scale=SCALE)
        moved = rng.random(weights.shape, np.float32) < DENSITY
        weights[moved] += rng.normal(0, SCALE, int(moved.sum())).astype(np.float32)
        state[f"layer{number:02}.weight"] = torch.from_numpy(weights)
    init = dict.fromkeys(state, ("normal", SCALE))
    files = {"fast.fpk": folder / "fast.fpk", "small.fpk": folder / "small.fpk"}
    for index in ("fast", "small"):
        path = files[f"{index}.fpk"]
        freezepack.torch.save_file(state, path, seed=SEED, init=init, index=index)
    files |= {name: folder / name for name in ("dense.safetensors", "dense.pt")}
    safetensors.torch.save_file(state, files["dense.safetensors"])
    torch.save(state, files["dense.pt"])
    return files


def loaders(
    files: dict[str, Path], device: torch.device
) -> Iterator[tuple[str, Callable[[torch.device], object]]]:
    """Yield what loads a file to a device."""
    import safetensors.torch

    dense, pickled = files["dense.safetensors"], files["dense.pt"]
    yield "dense.safetensors", lambda device: safetensors.torch.load_file(dense, device=str(device))
    yield "dense.pt", lambda device: torch.load(pickled, map_location=device, weights_only=True)
    for name in ("fast.fpk", "small.fpk"):
        path = files[name]
        yield f"{name}, decoded only", partial(decode, path)
        names = [part.name for part in available(device)]
        for backend in [*names, HOST] if name == "fast.fpk" else names[:1]:
            yield f"{name}, {backend}", partial(load_pack, path, backend)


def load_pack(path: Path, backend: str, device: torch.device) -> dict[str, Tensor]:
    """Load a pack to a device with one back end."""
    return freezepack.torch.load_file(path, device=str(device), backend=backend)


def decode(path: Path, device: torch.device) -> None:
    """Open a pack and decode all positions and values: what the CPU does of a load."""
    with freezepack.open(path, framework="torch", backend="torch") as file:
        there = file.rebuilder_on("cpu")
        if there is None:
            raise ValueError("no back end for the CPU")
        jobs = []
        for record in file.header.tensors.values():
            # Memory that is never written to takes no time.
            out = torch.empty(record.spec.shape, dtype=torch_type(record.spec.dtype))
            jobs.append(Job(there.patcher_of(record.spec.name), out.view(-1).view(torch.int32)))
        for _ in send_patches(jobs, torch.device("cpu")):
            pass


def wall(work: Work, device: torch.device) -> float:
    """Return the seconds of one call, until the device is done."""
    wait(device)
    begin = time.perf_counter()
    made = work()
    wait(device)
    found = time.perf_counter() - begin
    del made
    return found


def check(states: dict[str, object]) -> None:
    """Raise ValueError unless all loaders gave the same tensors."""
    first = next(iter(states.values()))
    for name, state in states.items():
        if not isinstance(state, dict) or not isinstance(first, dict):
            raise ValueError(f"{name} gave no tensors")
        if not all(torch.equal(state[key], tensor) for key, tensor in first.items()):
            raise ValueError(f"{name} gave other tensors")


if __name__ == "__main__":
    main()
