"""What `pack --values` rounds, and what that costs on data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freezepack.pack.lossy import KEEP, Rounded, all_trained, round_values
from freezepack.pack.lossy_accept import (
    ACCURACY,
    RELATIVE_ERROR,
    keeps_accuracy,
    keeps_predictions,
    keeps_values,
)
from freezepack.pack.lossy_compensate import Curvature, make_curvature
from freezepack.pack.lossy_search import find_grid

if TYPE_CHECKING:
    from torch import nn

    from freezepack.checkpoints.state import State
    from freezepack.pack.claims import Claim
    from freezepack.pack.lossy_trained import Trained
    from freezepack.rebuild.bases import BaseTensors
    from freezepack.train.data.dataset import Dataset

AUTO = "grid:auto"
MOST_TOGETHER = 4000
"""Trained values whose errors make good one another; tensors beyond them go by themselves."""


def is_lossy(values: str) -> bool:
    """Return whether `--values` rounds.

    Examples
    --------
    >>> is_lossy("grid:4.5"), is_lossy("bf16"), is_lossy("auto")
    (True, True, False)
    """
    return values.startswith("grid") or values in ("bf16", "fp16")


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What `--data`, `--data-dir` and `--tolerance` say."""

    data: str | None = None
    data_dir: Path | None = None
    tolerance: float | None = None


def round_state(
    state: State,
    claims: Mapping[str, Claim],
    bases: Sequence[BaseTensors],
    values: str,
    yardstick: Yardstick,
) -> Rounded | None:
    """Round the trained values as `values` says; None if it names something lossless.

    With data, steps follow how sensitive the loss is to each tensor, errors make good one another,
    and "grid:auto" takes the coarsest grid that nearly keeps the predictions on training and
    validation images and then, made finer if need be, the accuracy on validation images.

    Raises
    ------
    click.UsageError
        If data or a tolerance is given where nothing is measured.
    """
    if not is_lossy(values):
        if yardstick.data is not None or yardstick.tolerance is not None:
            raise click.UsageError("--data and --tolerance are for --values grid:...")
        return None
    if yardstick.data is None:
        if values != AUTO:
            return round_values(state.arrays, claims, values, bases=bases)
        limit = RELATIVE_ERROR if yardstick.tolerance is None else yardstick.tolerance
        return find_grid(state.arrays, claims, keeps_values(limit), bases=bases)
    from freezepack.cli.extras import require_torch

    require_torch("--data")
    return _round_on_data(state, claims, bases, values, yardstick)


def _round_on_data(
    state: State,
    claims: Mapping[str, Claim],
    bases: Sequence[BaseTensors],
    values: str,
    yardstick: Yardstick,
) -> Rounded:
    from freezepack.cli.judging import Judge
    from freezepack.cli.networks import network_of
    from freezepack.train import load_data
    from freezepack.train.sensitivity import squared_gradients

    network = network_of(state)
    data = load_data(str(yardstick.data), yardstick.data_dir, splits=("train", "validation"))
    sensitivity = squared_gradients(network, data)
    trained = all_trained(state.arrays, claims, bases, KEEP)
    options: dict[str, Any] = {
        "bases": bases,
        "sensitivity": sensitivity,
        "curvatures": _curvatures(network, data, trained),
    }
    judge = Judge(network, data, state)
    if values != AUTO:
        return judge.measure(round_values(state.arrays, claims, values, **options))
    tolerance = ACCURACY if yardstick.tolerance is None else yardstick.tolerance
    accept = keeps_predictions(judge.divergence, tolerance)
    check = keeps_accuracy(judge.accuracy, state.arrays, tolerance)
    return judge.measure(find_grid(state.arrays, claims, accept, check=check, **options))


def _curvatures(
    network: nn.Module, data: Dataset, trained: Mapping[str, Trained]
) -> list[Curvature]:
    """Measure together as many tensors as will do, the smallest first."""
    from freezepack.train.curvature import covered, gauss_newton

    known = covered(network)
    names, left = [], MOST_TOGETHER
    for name in sorted(trained, key=lambda name: (trained[name].numbers.size, name)):
        if name in known and trained[name].numbers.size <= left:
            names.append(name)
            left -= trained[name].numbers.size
    if not names:
        return []
    positions = {name: trained[name].positions for name in names}
    sizes = {name: trained[name].numbers.size for name in names}
    return [make_curvature(sizes, gauss_newton(network, data, positions))]


def describe_losses(rounded: Rounded) -> str:
    """Return what rounding changed, in a line for each tensor, and what was measured of it."""
    from freezepack.cli.options import format_table

    rows = [
        [
            name,
            loss.codec,
            f"{loss.values:,}",
            f"{loss.step:.4f}" if loss.step else "",
            f"{loss.max_error:.4f}",
            f"{loss.rms_error:.4f}",
        ]
        for name, loss in rounded.losses.items()
    ]
    header = ["rounded", "values", "count", "step/std", "largest error/std", "rms error/std"]
    table = format_table(header, rows, left=2)
    if not rounded.measured:
        return table
    before, after = (rounded.measured[f"validation_accuracy{key}"] for key in ("_before", ""))
    nats = rounded.measured["divergence"]
    return (
        f"{table}\nvalidation accuracy {100 * after:.2f} %, {100 * before:.2f} % before; "
        f"predictions diverge by {nats:.5f} nats"
    )


def losses_json(rounded: Rounded) -> dict[str, Any]:
    """Return what rounding changed, as JSON."""
    return {
        name: {
            "codec": loss.codec,
            "values": loss.values,
            "std": loss.std,
            "step": loss.step,
            "max_error": loss.max_error,
            "rms_error": loss.rms_error,
        }
        for name, loss in rounded.losses.items()
    }
