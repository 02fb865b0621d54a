"""Speed of the generator: python benchmarks/generator.py [--size N ...] [--threads N ...].

One table for each size and number of threads. The candidates of a round run one after the other,
so that a busy moment hits all of them; GB of output per second and elements per second are
medians over the rounds, ratios are medians of the ratios within a round. All memory was touched
before. `--cpu` counts the processor time of this thread, for a machine that is not idle; it
cannot see other threads, so it is for one thread only.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import truediv

import numpy as np

from freezepack import native
from freezepack.digest import digest_tiles
from freezepack.random import fill_raw, make_init
from freezepack.random.raw import rebuild_raw
from freezepack.types import DType, Init, RawArray

DRAWS = {
    "uniform": make_init("uniform", 0.5),
    "normal": make_init("normal", 0.02),
    "truncated_normal": make_init("truncated_normal", 0.02, cut=2.0),
    "sign": make_init("sign", 0.02),
}
DTYPES = (DType.bfloat16, DType.float16, DType.float64)
STEP = 1 << 20
"""Elements that a thread rebuilds at a time."""


@dataclass
class Candidate:
    """A call, what it writes or reads, and how long it took in each round."""

    name: str
    elements: int
    nbytes: int
    run: Callable[[], object]
    base: str = ""
    """The candidate that it is compared with in the last column."""
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs="+", default=[11_000_000], help="elements")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="instruction set to measure")
    parser.add_argument("--cpu", action="store_true", help="count processor time, not wall time")
    options = parser.parse_args()
    if options.cpu and max(options.threads) > 1:
        parser.error("--cpu measures one thread only")
    clock = time.thread_time if options.cpu else time.perf_counter
    print(native.status())
    for size in options.size:
        for threads in options.threads:
            candidates = make_candidates(size, threads, options.only)
            native.set_num_threads(threads)
            measure(candidates, options.rounds, clock)
            print(f"\n{size:,} elements, {threads} threads, {options.rounds} rounds")
            print_table(candidates)


def measure(candidates: list[Candidate], rounds: int, clock: Callable[[], float]) -> None:
    """Time every candidate once a round, the first round left out."""
    for turn in range(rounds + 1):
        for candidate in candidates:
            begin = clock()
            candidate.run()
            if turn:
                candidate.seconds.append(clock() - begin)


def print_table(candidates: list[Candidate]) -> None:
    """Print speeds, and ratios to memcpy, torch's normal_ and a candidate's own base."""
    found = {candidate.name: candidate for candidate in candidates}
    print(f"{'':36}{'GB/s':>8}{'G elem/s':>10}{'/ memcpy':>10}{'/ normal_':>11}  / another")
    for each in candidates:
        seconds = statistics.median(each.seconds)
        line = (
            f"{each.name:36}{each.nbytes / seconds / 1e9:8.2f}{each.elements / seconds / 1e9:10.3f}"
        )
        for other, width in (("memcpy", 10), ("torch normal_", 11)):
            line += f"{ratio(each, found[other]):{width}.3f}" if other in found else " " * width
        if each.base in found:
            line += f"  {ratio(each, found[each.base]):.3f} of {each.base}"
        print(line)


def ratio(one: Candidate, other: Candidate) -> float:
    """Return the median ratio of speeds: memcpy's in bytes, others' in elements per second."""
    ratios = list(map(truediv, other.seconds, one.seconds))
    scale = one.nbytes / other.nbytes if other.name == "memcpy" else one.elements / other.elements
    return float(statistics.median(ratios) * scale)


def make_candidates(size: int, threads: int, only: str) -> list[Candidate]:
    """Return what is measured; all write to the same memory."""
    out, source = np.zeros(2 * size, np.uint32), np.ones(size, np.uint32)
    floats = out[:size]
    found = [Candidate("memcpy", size, 4 * size, partial(np.copyto, floats, source))]
    found += make_torch(floats, threads)
    for name in native.instruction_sets():
        if only in ("", name):
            found += make_native(name, out, size)
    if native.library() is None:
        run = partial(fill_raw, floats, DType.float32, key=1, init=DRAWS["normal"])
        found.append(Candidate("numpy normal", size, 4 * size, run))
    return found


def make_native(name: str, out: RawArray, size: int) -> list[Candidate]:
    """Return the candidates of one instruction set."""
    floats = out[:size]
    found: list[Candidate] = []

    def add(what: str, nbytes: int, run: Callable[[], object], base: str = "") -> None:
        def call() -> None:
            native.set_instruction_set(name)
            run()

        base = f"{name} {base}" if base else ""
        found.append(Candidate(f"{name} {what}", size, nbytes, call, base))

    for draw, init in DRAWS.items():
        add(draw, floats.nbytes, partial(fill_raw, floats, DType.float32, key=1, init=init))
    for dtype in DTYPES:
        part = out.view(dtype.raw)[:size]
        run = partial(fill_raw, part, dtype, key=1, init=DRAWS["normal"])
        add(f"normal {dtype.name}", part.nbytes, run, "normal")
    add("digest", floats.nbytes, partial(digest_tiles, floats, 0, "native"))
    positions = np.arange(7, size, 100, dtype=np.uint32)
    for draw in ("uniform", "normal"):
        run = partial(rebuild, floats, DRAWS[draw], positions, floats[: positions.size].copy())
        add(f"{draw} + 1% patch + digest", floats.nbytes, run, draw)
    return found


def rebuild(out: RawArray, init: Init, positions: RawArray, values: RawArray) -> None:
    """Make base, patch and digest in one pass, in threads."""

    def part(begin: int, end: int) -> int:
        first, last = np.searchsorted(positions, np.array([begin, end], np.uint32))
        return rebuild_raw(
            out[begin:end],
            DType.float32,
            key=1,
            init=init,
            start=begin,
            positions=positions[first:last] - np.uint32(begin),
            values=values[first:last],
            digest=True,
        )

    steps = range(0, out.size, STEP)
    native.map_items(lambda begin: part(begin, min(begin + STEP, out.size)), steps, out.size)


def make_torch(out: RawArray, threads: int) -> list[Candidate]:
    """Return torch's own generator, where torch is installed."""
    try:
        import torch
    except ImportError:
        return []
    torch.set_num_threads(threads)
    tensor = torch.from_numpy(out.view(np.float32))
    calls = {
        "torch uniform_": partial(tensor.uniform_, -0.5, 0.5),
        "torch normal_": partial(tensor.normal_, 0.0, 0.02),
    }
    return [Candidate(name, out.size, out.nbytes, call) for name, call in calls.items()]


if __name__ == "__main__":
    main()
