"""Time of loading whole files, warm and cold, beside what else stores the same network."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack.bench.speed.cache import drop_cache, return_memory
from freezepack.bench.speed.network import make_network
from freezepack.bench.speed.rivals import (
    FAST,
    StoredForm,
    check_room,
    require_packages,
    store_forms,
)
from freezepack.bench.speed.threads import use_threads
from freezepack.bench.speed.turns import Job, Pace, median_ratio, take_turns
from freezepack.errors import FreezepackError

RATE = "0.99"
MEMCPY = "memcpy to fresh memory"
WARM, COLD = "warm", "cold"
MOST_SMALL = 20_000_000
"""Weights above which the small index is left out unless everything is asked for."""
Row = dict[str, Any]
Report = Callable[[str], None]


def measure_loads(
    sizes: Sequence[int],
    threads: Sequence[int],
    pace: Pace,
    report: Report,
    *,
    scratch: Path | None = None,
    small: bool = False,
) -> list[Row]:
    """Write networks in every form and time what loads them, from the page cache and from disk.

    Parameters
    ----------
    sizes, threads : sequence of int
        Weights of the networks, and how many threads load.
    pace : Pace
        When to stop.
    report : callable
        Gets a line for each step.
    scratch : Path, optional
        Existing folder for the files, which are removed; else the system's for temporary files.
        One in memory cannot be read cold, which is reported.
    small : bool
        Time the small index of large networks too.

    Raises
    ------
    MissingExtraError, FreezepackError, VerificationError
        As `check_loads` and `store_forms` do.
    """
    check_loads(sizes, scratch)
    rows: list[Row] = []
    for size in sizes:
        with TemporaryDirectory(dir=scratch) as folder:
            report(f"a network of {size:,} weights, freezing rate {RATE}: files")
            network = make_network(size, float(RATE))
            forms = list(store_forms(network, Path(folder), small or size <= MOST_SMALL))
            weights = network.weights.values()
            flat = np.concatenate([w.reshape(-1).view(np.uint8) for w in weights])
            del network, weights
            for count in threads:
                report(f"loading {size:,} weights, threads: {count}")
                with use_threads(count):
                    rows += _measure(forms, flat, count, pace, report)
    return rows


def check_loads(sizes: Sequence[int], scratch: Path | None = None) -> None:
    """Check what can be checked before anything is measured.

    Raises
    ------
    MissingExtraError
        If torch or safetensors is not installed.
    FreezepackError
        If the folder does not exist or has not enough room.
    """
    require_packages()
    if scratch is not None and not scratch.is_dir():
        raise FreezepackError(f"{scratch} is no folder: --scratch names one that exists")
    check_room(scratch or Path(gettempdir()), 4 * 4 * max(sizes))


def _measure(
    forms: Sequence[StoredForm], flat: NDArray[np.uint8], threads: int, pace: Pace, report: Report
) -> list[Row]:
    # Loads from disk get rounds of their own: dropping the cache slows down what follows.
    warm = {(WARM, f.name): Job(f.load_it, prepare=return_memory) for f in forms}
    warm[WARM, MEMCPY] = Job(flat.copy, prepare=return_memory)
    found = take_turns(warm, pace)
    if all(drop_cache(form.path) for form in forms):
        cold = {(COLD, f.name): Job(f.load_it, prepare=partial(_forget, f)) for f in forms}
        found |= take_turns(cold, pace)
    else:
        report("files stay in the page cache here: cold loads are not measured (see --scratch)")
    sizes = {form.name: form.path.stat().st_size for form in forms}
    checked = {form.name: form.checked for form in forms}
    return [
        {
            "file": name,
            "cache": cache,
            "weights": flat.nbytes // 4,
            "threads": threads,
            "file_bytes": sizes.get(name),
            "seconds": timing.median,
            "least_seconds": min(timing.seconds),
            "gb_per_s": flat.nbytes / timing.median / 1e9,
            "times_pack": median_ratio(timing.seconds, found[cache, FAST].seconds),
            "checked": checked.get(name),
            "rounds": len(timing.seconds),
        }
        for (cache, name), timing in found.items()
    ]


def _forget(form: StoredForm) -> None:
    return_memory()
    drop_cache(form.path)
