"""Rounding trained values before they are packed: only by name, and with the loss in numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import isfinite

import numpy as np

from freezepack.codecs import VALUE_CODECS
from freezepack.codecs.base import ValueCodec
from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.numbers import to_numbers
from freezepack.errors import UnknownNameError
from freezepack.pack.claims import Claim
from freezepack.pack.lossy_compensate import Curvature, round_together
from freezepack.pack.lossy_round import RATE, Reals
from freezepack.pack.lossy_trained import Trained, find_trained
from freezepack.rebuild.bases import Arrays, BaseTensors
from freezepack.types import RawArray, TensorSpec

LOSSY_CHOICES = ("bf16", "fp16", "grid:BITS", "grid:auto")
KEEP = ("*running_mean", "*running_var")
"""Names of tensors that are not rounded: statistics, not trained values."""
Sensitivity = Mapping[str, Reals]
"""Name to what an error of each element costs: mean squared gradients, shaped as the tensor."""


@dataclass(frozen=True, slots=True)
class Loss:
    """How much rounding changed one tensor, in standard deviations `std`.

    `std` is that of the base or, over another base than a draw, of the trained values.
    """

    codec: str
    values: int
    std: float
    step: float
    """Distance between two values of the grid; 0 for other codecs."""
    max_error: float
    rms_error: float


@dataclass(frozen=True, slots=True)
class Rounded:
    """A model whose trained values are rounded.

    Attributes
    ----------
    arrays : dict of name to (spec, raw array)
        All tensors; those that were not rounded are the ones that came in.
    codecs, losses : dict of name to ValueCodec, to Loss
        Only tensors that were rounded; the codecs are for `pack_arrays`.
    measured : mapping of str to float
        What a caller measured of the rounded model; empty where there is no data.
    """

    arrays: dict[str, tuple[TensorSpec, RawArray]]
    codecs: dict[str, ValueCodec]
    losses: dict[str, Loss]
    measured: Mapping[str, float] = field(default_factory=dict)


def round_values(
    arrays: Arrays,
    claims: Mapping[str, Claim],
    choice: str,
    *,
    bases: Sequence[BaseTensors] = (),
    sensitivity: Sensitivity | None = None,
    curvatures: Sequence[Curvature] = (),
    rate: float = RATE,
    keep: Iterable[str] = KEEP,
) -> Rounded:
    """Round the trained values of a model to 16 bits or to a grid.

    Parameters
    ----------
    arrays, claims, bases
        As for `pack_arrays`. Not changed.
    choice : str
        "bf16", "fp16", or "grid:B": the widest step of at most 4 * std / 2**B, with the std of
        `Loss`. About B bits a value if values stay near their base. B may be a fraction.
    sensitivity : mapping of name to array, optional
        Mean squared gradients. Steps then follow them, with the same mean width.
    curvatures : sequence of Curvature
        Tensors whose errors make good one another on a grid: see `compensate`.
    rate : float
        See `round_to_grid`.
    keep : patterns
        Names that are not rounded.

    Raises
    ------
    UnknownNameError
        If there is no such choice; "grid:auto" is `find_grid`.
    """
    trained = all_trained(arrays, claims, bases, keep)
    if choice in ("bf16", "fp16"):
        return _narrow(arrays, trained, VALUE_CODECS.get_part(choice))
    kind, _, bits = choice.partition(":")
    try:
        level = float(bits)
    except ValueError:
        level = float("nan")
    if kind != "grid" or not isfinite(level):
        raise UnknownNameError("lossy value coding", choice, LOSSY_CHOICES)
    widths = {name: width / 2**level for name, width in widest(trained, sensitivity).items()}
    return round_to_widths(arrays, trained, widths, sensitivity, rate, curvatures=curvatures)


def all_trained(
    arrays: Arrays, claims: Mapping[str, Claim], bases: Sequence[BaseTensors], keep: Iterable[str]
) -> dict[str, Trained]:
    """Return the trained values of every tensor that can be rounded, in file order."""
    patterns = tuple(keep)
    found = {
        name: find_trained(*arrays[name], claims.get(name), bases)
        for name in sorted(arrays, key=str.encode)
        if not any(fnmatchcase(name, pattern) for pattern in patterns)
    }
    return {name: trained for name, trained in found.items() if trained is not None}


def widest(
    trained: Mapping[str, Trained], sensitivity: Sensitivity | None = None
) -> dict[str, float]:
    """Return the step of each tensor at zero bits: 4 std, or what its sensitivity asks for.

    An error costs half the sensitivity times its square: the same cost for every value means
    steps in proportion to 1 / sqrt(mean sensitivity). Their geometric mean stays.
    """
    widths = {name: 4 * values.std for name, values in trained.items()}
    if sensitivity is None or not trained:
        return widths
    means = {name: _importance(values, sensitivity) for name, values in trained.items()}
    known = {
        name: -0.5 * np.log2(mean.mean()) - np.log2(widths[name])
        for name, mean in means.items()
        if mean is not None and mean.mean() > 0
    }
    total = sum(trained[name].numbers.size for name in known)
    middle = sum(trained[name].numbers.size * known[name] for name in known) / max(1, total)
    # A sensitivity measured on few samples may be wildly off for a small tensor.
    shifts = {name: float(np.clip(known[name] - middle, -6, 6)) for name in known}
    return {name: width * 2.0 ** shifts.get(name, 0.0) for name, width in widths.items()}


def round_to_widths(
    arrays: Arrays,
    trained: Mapping[str, Trained],
    widths: Mapping[str, float],
    sensitivity: Sensitivity | None,
    rate: float,
    *,
    curvatures: Sequence[Curvature] = (),
) -> Rounded:
    """Round every tensor to the widest grid of at most its width."""
    rounded = Rounded(dict(arrays), {}, {})
    found = ((name, values.step(widths[name])) for name, values in trained.items())
    steps = {name: step for name, step in found if step is not None}
    known = [c for c in curvatures if steps.keys() >= set(c.names)]
    together = {n: q for c in known for n, q in round_together(trained, steps, c).items()}
    for name, step in steps.items():
        values = trained[name]
        importance = _importance(values, sensitivity) if sensitivity else None
        q = together[name] if name in together else values.round(step, importance, rate)
        _replace(rounded, values, Grid(step), values.bits(step, q), step.width)
    return rounded


def _narrow(arrays: Arrays, trained: Mapping[str, Trained], codec: ValueCodec) -> Rounded:
    rounded = Rounded(dict(arrays), {}, {})
    for name, values in trained.items():
        spec, raw = arrays[name]
        section = codec.encode(raw[values.positions], spec.dtype, None)
        if section is not None:
            bits = codec.decode(memoryview(section), spec.dtype, values.numbers.size, None, 0)
            _replace(rounded, values, codec, bits, 0.0)
    return rounded


def _replace(
    rounded: Rounded, values: Trained, codec: ValueCodec, bits: RawArray, width: float
) -> None:
    name, std = values.spec.name, values.std
    raw = rounded.arrays[name][1].copy()
    raw[values.positions] = bits
    error = np.abs(to_numbers(bits, values.spec.dtype) - values.numbers) / std
    rounded.arrays[name] = (values.spec, raw)
    rounded.codecs[name] = codec
    rms = float(np.sqrt((error**2).mean()))
    rounded.losses[name] = Loss(codec.name, error.size, std, width / std, float(error.max()), rms)


def _importance(values: Trained, sensitivity: Sensitivity) -> Reals | None:
    found = sensitivity.get(values.spec.name)
    if found is None:
        return None
    flat: Reals = np.asarray(found, np.float64).reshape(-1)[values.positions]
    return flat
