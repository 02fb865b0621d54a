"""What `pack --values` rounds, and what that costs on data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freezepack.pack.lossy import Rounded, round_values
from freezepack.pack.lossy_accept import (
    ACCURACY,
    MEAN_LOSS,
    RELATIVE_ERROR,
    expected_damage,
    keeps_accuracy,
    keeps_values,
)
from freezepack.pack.lossy_search import find_grid

if TYPE_CHECKING:
    from freezepack.checkpoints.state import State
    from freezepack.pack.claims import Claim
    from freezepack.rebuild.bases import Arrays, BaseTensors

AUTO = "grid:auto"
LOSS_IMAGES = 10_000
"""Training images on which the mean loss is watched; the accuracy is that of validation."""


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

    With data, steps follow how sensitive the loss is to each tensor, and "grid:auto" takes the
    coarsest grid that keeps accuracy and loss on the validation images.

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
    from freezepack.checkpoints.torch_file import tensors_of
    from freezepack.cli.networks import network_of
    from freezepack.train import load_data
    from freezepack.train.sensitivity import accuracy_and_loss, squared_gradients

    network = network_of(state)
    data = load_data(str(yardstick.data), yardstick.data_dir, splits=("train", "validation"))
    sensitivity = squared_gradients(network, data)
    options: dict[str, Any] = {"bases": bases, "sensitivity": sensitivity}
    if values != AUTO:
        return round_values(state.arrays, claims, values, **options)

    def measure(arrays: Arrays) -> tuple[float, float]:
        network.load_state_dict(tensors_of(arrays, state.aliases))
        accuracy, _ = accuracy_and_loss(network, data, "validation")
        return accuracy, accuracy_and_loss(network, data, "train", LOSS_IMAGES)[1]

    tolerance = ACCURACY if yardstick.tolerance is None else yardstick.tolerance
    keeps = keeps_accuracy(measure, state.arrays, tolerance=tolerance)
    allowed = MEAN_LOSS * accuracy_and_loss(network, data, "train", LOSS_IMAGES)[1]

    def accept(rounded: Rounded) -> bool:
        return expected_damage(state.arrays, rounded, sensitivity) <= allowed and keeps(rounded)

    return find_grid(state.arrays, claims, accept, **options)


def describe_losses(rounded: Rounded) -> str:
    """Return what rounding changed, in a line for each tensor."""
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
    return format_table(header, rows, left=2)


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
