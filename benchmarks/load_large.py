"""Time of loading 100 M float32 weights, of which 1 % are trained, with cold and warm page cache.

python benchmarks/load_large.py [--rounds 7] [--threads 1 2] [--folder DIR]

The weights are 12 matrices filled from a seed, of which random entries have moved. Every round
drops each file from the page cache (posix_fadvise, no root needed) and loads it, then loads it
again from memory; all candidates take turns. `cold` and `warm` are medians of milliseconds of wall
clock, `processor` of processor time with a warm cache; ratios are medians of the ratios within a
round. safetensors maps the file, so its tensors are copied to count the reading; `written over` is
the same load after which every byte was touched. Two files, 405 MB together, go to DIR and are
deleted afterwards.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from operator import truediv
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

import freezepack.random
import freezepack.torch
from freezepack import native
from freezepack.bench.machine import describe_machine

SHAPE, COUNT = (4096, 2048), 12
SEED, SCALE, DENSITY = 1, 0.02, 0.01
Candidate = Callable[[], object]
Times = dict[str, list[float]]


def main() -> None:
    """Write the files, measure and print one table for each thread count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    for name, value in describe_machine().items():
        print(f"- {name}: {value}")
    torch.set_num_threads(1)  # its threads would keep cores busy after their work is done
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        dense, pack = Path(folder) / "dense.safetensors", Path(folder) / "pack.fpk"
        flat = write(dense, pack)
        print(f"- files: dense {dense.stat().st_size:,} bytes, pack {pack.stat().st_size:,} bytes")
        for threads in options.threads:
            native.set_num_threads(threads)
            print(f"\nthreads: {threads}")
            show(*measure(dense, pack, flat, options.rounds))


def write(dense: Path, pack: Path) -> Tensor:
    """Write the same tensors in both forms, check the pack, and return all weights as one."""
    state, masks = make_state()
    init = dict.fromkeys(state, ("normal", SCALE))
    freezepack.torch.save_file(state, pack, seed=SEED, init=init, masks=masks, index="fast")
    safetensors.torch.save_file(state, dense)
    made = freezepack.torch.load_file(pack)
    if not all(torch.equal(made[name], state[name]) for name in state):
        raise ValueError("the pack does not give what was packed")
    with dense.open("rb") as file:
        os.fsync(file.fileno())  # what is not on the disk yet cannot be dropped from the cache
    return torch.cat([tensor.reshape(-1) for tensor in state.values()])


def make_state() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return seeded matrices with moved entries, and which those are."""
    rng = np.random.default_rng(SEED)
    state, masks = {}, {}
    for number in range(COUNT):
        name = f"layer{number:02}.weight"
        weights = np.empty(SHAPE, np.float32)
        freezepack.random.fill(weights, seed=SEED, stream=number, draw="normal", scale=SCALE)
        mask = rng.random(SHAPE, np.float32) < DENSITY
        weights[mask] += rng.normal(0, SCALE, int(mask.sum())).astype(np.float32)
        state[name], masks[name] = torch.from_numpy(weights), torch.from_numpy(mask)
    return state, masks


def measure(dense: Path, pack: Path, flat: Tensor, rounds: int) -> tuple[Times, Times, Times]:
    """Return seconds of every round: wall clock cold and warm, and processor time warm."""
    candidates: dict[str, tuple[Path | None, Candidate]] = {
        "safetensors, copied": (dense, partial(load_copy, dense)),
        "safetensors, written over": (dense, partial(load_touched, dense)),
        "pack": (pack, partial(freezepack.torch.load_file, pack)),
        "memcpy": (None, partial(torch.empty_like(flat).copy_, flat)),
        "memcpy to fresh memory": (None, flat.numpy().copy),
    }
    times: list[Times] = [{name: [] for name in candidates} for _ in range(3)]
    cold, warm, spent = times
    for turn in range(rounds + 1):
        for name, (path, run) in candidates.items():
            if path is not None:
                drop(path)
            first = clock(run)
            again = clock(run)
            if turn:
                cold[name].append(first[0])
                warm[name].append(again[0])
                spent[name].append(again[1])
    return cold, warm, spent


def clock(run: Candidate) -> tuple[float, float]:
    """Return seconds of wall clock and of processor; what `run` made is dropped afterwards."""
    begin, spent = time.perf_counter(), time.process_time()
    made = run()
    done = time.perf_counter() - begin, time.process_time() - spent
    del made
    return done


def drop(path: Path) -> None:
    """Take a file out of the page cache."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def load_copy(path: Path) -> dict[str, Tensor]:
    """Load a safetensors file into memory of its own."""
    return {name: tensor.clone() for name, tensor in safetensors.torch.load_file(path).items()}


def load_touched(path: Path) -> dict[str, Tensor]:
    """Load a safetensors file as it is mapped, and write to all of it."""
    state = safetensors.torch.load_file(path)
    for tensor in state.values():
        tensor.neg_()
    return state


def show(cold: Times, warm: Times, spent: Times) -> None:
    """Print medians, and the ratio of each to the pack within a round."""
    print(f"{'':28}{'cold':>9}{'warm':>9}{'processor':>11}{'/ pack, cold':>14}{'/ pack, warm':>14}")
    for name in cold:
        a, b, c = (1e3 * statistics.median(times[name]) for times in (cold, warm, spent))
        ratios = [statistics.median(map(truediv, t[name], t["pack"])) for t in (cold, warm)]
        print(f"{name:28}{a:9.1f}{b:9.1f}{c:11.1f}{ratios[0]:14.2f}{ratios[1]:14.2f}")


if __name__ == "__main__":
    main()
