"""Speed of the generator: python benchmarks/generator.py [--size N] [--threads N] [--rounds N].

Every line is a median of GB of output per second into memory that was touched before. The
candidates of a round run one after the other, so that a busy moment hits all of them; the
ratios are medians of the ratios within a round.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from operator import truediv

import numpy as np

from freezepack import native
from freezepack.digest import digest_tiles
from freezepack.random import fill_raw, make_init
from freezepack.types import DType, Init, RawArray

Candidate = tuple[int, Callable[[], object]]
"""Bytes written or read, and the call."""

DRAWS = {
    "uniform": make_init("uniform", 0.5),
    "normal": make_init("normal", 0.02),
    "truncated_normal": make_init("truncated_normal", 0.02, cut=2.0),
    "sign": make_init("sign", 0.02),
}


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4_000_000, help="elements")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    native.set_num_threads(options.threads)
    print(f"{native.status()}; {options.size:,} elements, {options.threads} threads")
    found = measure(make_candidates(options.size, options.threads), options.rounds)
    others = [name for name in ("memcpy", "torch normal_") if name in found]
    print(f"{'':28}{'GB/s':>8}" + "".join(f"{'/ ' + name:>18}" for name in others))
    for name, speeds in found.items():
        ratios = [statistics.median(map(truediv, speeds, found[other])) for other in others]
        line = "".join(f"{ratio:18.2f}" for ratio in ratios)
        print(f"{name:28}{statistics.median(speeds):8.2f}{line}")


def measure(candidates: dict[str, Candidate], rounds: int) -> dict[str, list[float]]:
    """Return GB/s of each candidate in each round, the first round left out."""
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds + 1):
        for name, (nbytes, run) in candidates.items():
            begin = time.perf_counter()
            run()
            if turn:
                found[name].append(nbytes / (time.perf_counter() - begin) / 1e9)
    return found


def make_candidates(size: int, threads: int) -> dict[str, Candidate]:
    """Return what is measured."""
    out, source = np.zeros(size, np.uint32), np.ones(size, np.uint32)
    found: dict[str, Candidate] = {"memcpy": (out.nbytes, partial(np.copyto, out, source))}
    for backend in ["numpy"] if native.library() is None else ["native", "numpy"]:
        for name, init in DRAWS.items():
            found[f"{name} {backend}"] = make_fill(out, DType.float32, init, backend)
        for dtype in (DType.bfloat16, DType.float16, DType.float64):
            part = np.zeros(size // 2, dtype.raw)
            name = f"normal {backend} {dtype.name}"
            found[name] = make_fill(part, dtype, DRAWS["normal"], backend)
        found[f"digest {backend}"] = source.nbytes, partial(digest_tiles, source, 0, backend)
    return found | make_torch(size, threads)


def make_fill(out: RawArray, dtype: DType, init: Init, backend: str) -> Candidate:
    """Return a fill of `out`."""
    return out.nbytes, partial(fill_raw, out, dtype, key=1, init=init, backend=backend)


def make_torch(size: int, threads: int) -> dict[str, Candidate]:
    """Return torch's own generator, where torch is installed."""
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(threads)
    tensor = torch.zeros(size)
    return {
        "torch uniform_": (4 * size, partial(tensor.uniform_, -0.5, 0.5)),
        "torch normal_": (4 * size, partial(tensor.normal_, 0.0, 0.02)),
    }


if __name__ == "__main__":
    main()
