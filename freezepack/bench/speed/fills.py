"""GB of output per second of every way to draw a base, with memcpy beside each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import groupby
from typing import Any

import numpy as np

from freezepack.bench.speed.cases import FILL, PEER, FillCase
from freezepack.bench.speed.paths import KEY, Patch, Path, keep_instruction_set
from freezepack.bench.speed.threads import copy_bytes, use_threads
from freezepack.bench.speed.turns import Call, Job, Pace, Timing, median_ratio, take_turns
from freezepack.errors import MissingExtraError, VerificationError
from freezepack.random import make_init
from freezepack.types import DType, Init, RawArray

SCALE = 0.02
PATCHED = 0.01
"""Share of elements that a rebuild replaces."""
COMPARED = 1 << 16
"""Elements by which paths are compared before any is timed."""
Row = dict[str, Any]
Report = Callable[[str], None]


def measure_fills(
    cases: Sequence[FillCase], paths: Mapping[str, Path], pace: Pace, report: Report
) -> list[Row]:
    """Time fills into memory that was touched before; fills of one size take turns.

    Parameters
    ----------
    cases : sequence of FillCase
        Sorted by size and threads, as `choose_cases` returns them.
    paths : mapping of str to Path
        Those that the cases name.
    pace : Pace
        When to stop.
    report : callable
        Gets a line for each group.

    Raises
    ------
    VerificationError
        If two paths draw different bits.
    MissingExtraError
        If torch's own generator is asked for and torch is not installed.
    """
    if any(case.path == PEER for case in cases) and find_spec("torch") is None:
        raise MissingExtraError("torch", "torch", "the comparison with torch's own generator")
    rows: list[Row] = []
    with keep_instruction_set():
        compare_paths(cases, paths)
        for (size, threads), group in groupby(cases, lambda case: (case.size, case.threads)):
            chosen = list(group)
            report(f"{len(chosen)} fills of {size:,} elements, threads: {threads}")
            with use_threads(threads):
                rows += _measure(chosen, paths, pace)
    return rows


def compare_paths(cases: Sequence[FillCase], paths: Mapping[str, Path]) -> None:
    """Raise VerificationError unless all paths draw the same bits."""
    kinds = dict.fromkeys((case.draw, case.dtype, case.path) for case in cases)
    seen: dict[tuple[str, str], bytes] = {}
    for draw, name, path in kinds:
        if path == PEER:
            continue
        dtype = DType[name]
        out = np.zeros(COMPARED, dtype.raw)
        paths[path].choose()
        paths[path].fill(out, dtype, init_of(draw))
        if seen.setdefault((draw, name), out.tobytes()) != out.tobytes():
            raise VerificationError(f"{path} draws other bits for {draw} {name} than other paths")


def init_of(draw: str) -> Init:
    """Return how a draw is timed: with one usual scale."""
    return make_init(draw, SCALE, cut=2.0 if draw == "truncated_normal" else None)


def _measure(cases: Sequence[FillCase], paths: Mapping[str, Path], pace: Pace) -> list[Row]:
    widest = max(DType[case.dtype].itemsize for case in cases)
    out = np.ones(cases[0].size * widest, np.uint8)
    source = np.full(out.size, 2, np.uint8)
    jobs: dict[FillCase, Job] = {}
    for case in cases:
        dtype = DType[case.dtype]
        nbytes = case.size * dtype.itemsize
        copy = partial(copy_bytes, out[:nbytes], source[:nbytes])
        work = _work(case, paths, out[:nbytes].view(dtype.raw))
        choose = paths[case.path].choose if case.path != PEER else None
        jobs[case] = Job(work, copy, prepare=choose)
    timings = take_turns(jobs, pace)
    return [_row(case, timings) for case in cases]


def _work(case: FillCase, paths: Mapping[str, Path], out: RawArray) -> Call:
    """Return what does a case."""
    dtype, init = DType[case.dtype], init_of(case.draw)
    if case.path == PEER:
        tensor = _as_tensor(out, case.dtype)
        if case.draw == "normal":
            return partial(tensor.normal_, 0.0, SCALE)
        return partial(tensor.uniform_, -SCALE, SCALE)
    if case.work == FILL:
        return partial(paths[case.path].fill, out, dtype, init)
    return partial(paths[case.path].rebuild, out, dtype, init, draw_patch(out))


def draw_patch(out: RawArray) -> Patch:
    """Return positions of about 1 % of an array, at least one, and what to put there."""
    rng = np.random.default_rng(KEY)
    count = max(1, round(out.size * PATCHED))
    positions = np.unique(rng.integers(0, out.size, count, np.uint32))
    values = rng.integers(0, 256, positions.size * out.itemsize, np.uint8)
    return positions, values.view(out.dtype)


def _row(case: FillCase, timings: Mapping[FillCase, Timing]) -> Row:
    timing = timings[case]
    nbytes = case.size * DType[case.dtype].itemsize
    return {
        "path": case.path,
        "draw": case.draw,
        "dtype": case.dtype,
        "elements": case.size,
        "threads": case.threads,
        "work": case.work,
        "seconds": timing.median,
        "gb_per_s": nbytes / timing.median / 1e9,
        "elements_per_s": case.size / timing.median,
        "memcpy_gb_per_s": nbytes / Timing(timing.beside).median / 1e9,
        "memcpy_ratio": timing.speed,
        "torch_ratio": _ratio(timings, case, replace(case, path=PEER, work=FILL)),
        "fill_ratio": None
        if case.work == FILL
        else _ratio(timings, case, replace(case, work=FILL)),
        "rounds": len(timing.seconds),
    }


def _ratio(timings: Mapping[FillCase, Timing], case: FillCase, other: FillCase) -> float | None:
    """Return how many times as fast a case is as another, if that was timed too."""
    if other not in timings:
        return None
    return median_ratio(timings[other].seconds, timings[case].seconds)


def _as_tensor(out: RawArray, dtype: str) -> Any:
    """Return a torch tensor on the memory of a raw array."""
    torch: Any = import_module("torch")
    signed = out.view(f"i{out.dtype.itemsize}")
    return torch.from_numpy(signed).view(getattr(torch, dtype))
