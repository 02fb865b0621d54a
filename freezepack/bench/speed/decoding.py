"""How fast index and value codecs decode, on one core."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from freezepack.bench.coding import units
from freezepack.bench.masks import TensorMask
from freezepack.bench.rates import measure_rates
from freezepack.bench.speed.network import SEED, Network, make_network, mask_of
from freezepack.bench.speed.threads import use_threads
from freezepack.bench.speed.turns import Job, Pace, take_turns
from freezepack.codecs import VALUE_CODECS
from freezepack.codecs.base import BaseValues, ValueCodec
from freezepack.errors import VerificationError
from freezepack.rebuild import choose_backend
from freezepack.rebuild.base import TensorBase
from freezepack.types import DType, Positions, RawArray, SeedBase, TensorSpec

RATES = ("0.995", "0.99", "0.95")
CODECS = ("raw", "float", "planes", "bf16", "fp16")
Row = dict[str, str | int | float]
Part = tuple[RawArray, BaseValues]
"""Trained values of a unit, and the base at the same positions."""


def measure_decoding(size: int, report: Callable[[str], None], pace: Pace) -> list[Row]:
    """Time decoding of drawn masks, and of the trained values there, on one thread.

    Sections are made before, and the base is at hand, as it is when a weight is being rebuilt.
    Seconds are processor time of the thread, of the second of two runs in a row.

    Raises
    ------
    VerificationError
        If a codec does not return what it was given.
    """
    rows: list[Row] = []
    for rate in RATES:
        report(f"decoding indices and values of {size:,} weights, freezing rate {rate}")
        network = make_network(size, float(rate))
        for found in measure_rates([mask_of(network, rate)]):
            rows.append(_row("index", found.codec, rate, network, found.seconds))
        with use_threads(1):
            for name, seconds in measure_values(network, pace).items():
                rows.append(_row("values", name, rate, network, seconds))
    return rows


def measure_values(network: Network, pace: Pace) -> dict[str, float]:
    """Return the median seconds in which each value codec decodes all trained values."""
    parts = [
        part
        for name, mask in network.masks.items()
        for part in _parts(network, name, np.flatnonzero(mask).astype(np.uint32))
    ]
    jobs = {}
    for name in CODECS:
        decode = _decoder(VALUE_CODECS.get_part(name), parts)
        if decode is not None:
            # As in a long file: small sections would else be timed on cold caches.
            jobs[name] = Job(decode, prepare=decode)
    timings = take_turns(jobs, pace, time.thread_time)
    return {name: timing.median for name, timing in timings.items()}


def _parts(network: Network, name: str, positions: Positions) -> list[Part]:
    """Return the trained values of a weight, unit by unit."""
    weight, init = network.weights[name], network.inits[name]
    raw = weight.reshape(-1).view(np.uint32)
    spec = TensorSpec(name, weight.shape, DType.float32)
    base = TensorBase(spec, SeedBase(SEED), init, choose_backend())
    found: list[Part] = []
    for unit, inside in units(TensorMask(name, weight.shape, init, positions), SEED, "zeros"):
        if inside.size:
            values = base.values_at(unit.start, unit.size, inside)
            found.append((raw[unit.start + inside.astype(np.int64)], _held(values)))
    return found


def _held(values: BaseValues) -> BaseValues:
    """Return the same values, made now."""
    bits, integers = values.bits(), values.integers and values.integers()
    if integers is None:
        return BaseValues(lambda: bits)
    return BaseValues(lambda: bits, lambda: integers, values.factor)


def _decoder(codec: ValueCodec, parts: Sequence[Part]) -> Callable[[], None] | None:
    """Encode and return what decodes it, or None if the codec cannot code these values."""
    sections = []
    for values, base in parts:
        data = codec.encode(values, DType.float32, base)
        if data is None:
            return None
        sections.append((memoryview(data), values.size, base))
        decoded = codec.decode(sections[-1][0], DType.float32, values.size, base, 0)
        if not codec.lossy and not np.array_equal(decoded, values):
            raise VerificationError(f"{codec.name} does not return the values it was given")

    def decode() -> None:
        for section, count, held in sections:
            codec.decode(section, DType.float32, count, held, 0)

    return decode


def _row(part: str, codec: str, rate: str, network: Network, seconds: float) -> Row:
    return {
        "part": part,
        "codec": codec,
        "freezing_rate": rate,
        "weights": network.size,
        "trained": network.trained,
        "seconds": seconds,
        "weights_per_s": network.size / seconds,
        "trained_per_s": network.trained / seconds,
    }
