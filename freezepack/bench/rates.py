"""How fast index codecs decode, natively, on one core."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from freezepack import native
from freezepack.bench.coding import units
from freezepack.bench.masks import NetworkMask
from freezepack.bench.tables import Cell, Table
from freezepack.codecs import INDEX_CODECS
from freezepack.codecs.base import IndexCodec

CODECS = ("probit", "hazard", "gaps", "bitmap")
ROUNDS = 9


@dataclass(frozen=True, slots=True)
class Rate:
    """Median processor time of decoding a whole mask with one codec."""

    mask: NetworkMask
    codec: str
    seconds: float

    @property
    def positions(self) -> float:
        """Positions per second, those of tensors without any trained weight included."""
        return self.mask.size / self.seconds

    @property
    def indices(self) -> float:
        """Trained positions per second."""
        return self.mask.count / self.seconds


def measure_rates(masks: Sequence[NetworkMask], rounds: int = ROUNDS) -> list[Rate]:
    """Decode each mask with each codec that takes it, codecs taking turns, on one thread.

    The base is at hand before the clock starts, as it is when a weight is being rebuilt. Sections
    are made once; each round decodes all of them with every codec, twice, and times the second.
    """
    threads = native.get_num_threads()
    native.set_num_threads(1)
    try:
        return [rate for mask in masks for rate in _measure(mask, rounds)]
    finally:
        native.set_num_threads(threads)


def _measure(mask: NetworkMask, rounds: int) -> list[Rate]:
    found = {name: _job(mask, INDEX_CODECS.get_part(name)) for name in CODECS}
    jobs = {name: job for name, job in found.items() if job is not None}
    times: dict[str, list[float]] = {name: [] for name in jobs}
    gc.collect()
    for _ in range(rounds):
        for name, job in jobs.items():
            job()  # as in a long mask: a small one would else be timed on cold caches
            begin = time.thread_time()
            job()
            times[name].append(time.thread_time() - begin)
    return [Rate(mask, name, median(found)) for name, found in times.items()]


def _job(mask: NetworkMask, codec: IndexCodec) -> Callable[[], None] | None:
    """Encode a mask and return what decodes it, or None if the codec declines a part of it."""
    sections = []
    for tensor in mask.tensors:
        for unit, positions in units(tensor, mask.seed, "seed"):
            if 0 < positions.size < unit.size:
                data = codec.encode(positions, unit)
                if data is None:
                    return None
                sections.append((memoryview(data), positions.size, unit))

    def decode() -> None:
        for data, count, unit in sections:
            codec.decode(data, count, unit)

    return decode


def rate_table(rates: Sequence[Rate]) -> Table:
    """Return the rates, for people and programs."""
    columns = ["network", "freezing rate", "codec", "M positions/s", "M indices/s", "ms"]
    rows = [_row(rate) for rate in rates]
    notes = [
        f"{native.status().partition(':')[0]}, one thread, median of {ROUNDS} rounds in which the "
        "codecs take turns, each timed on its second run in a row; processor time of the thread, "
        "so that other work on the machine counts little. Positions are all those of the network; "
        "the base is made beforehand."
    ]
    return Table("Decoding", columns, rows, notes)


def _row(r: Rate) -> list[Cell]:
    speeds: list[Cell] = [round(r.positions / 1e6), round(r.indices / 1e6, 1)]
    return [r.mask.case.label, r.mask.rate, r.codec, *speeds, round(r.seconds * 1e3, 2)]
