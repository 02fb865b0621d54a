"""What a run came to, and what is told of its epochs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freezepack.rate.config import RateConfig
from freezepack.train.folder import METRICS, PACK
from freezepack.train.logs import read_metrics
from freezepack.train.loop import Epoch

_FIGURES = (
    "file_bytes",
    "trained_weights",
    "weights",
    "validation_accuracy",
    "test_accuracy",
    "rate_weight",
    "trimmed",
    "seconds",
)


@dataclass(frozen=True, slots=True)
class RateEpoch(Epoch):
    """What an epoch ended with, and what the file would be.

    Attributes
    ----------
    estimated_bytes, file_bytes : int
        What the file was estimated to be, as during the epoch, and one made now.
    trained_weights : int
        Weights that are not 0.
    rate_weight : float
        The present one.
    """

    estimated_bytes: int
    file_bytes: int
    trained_weights: int
    rate_weight: float


@dataclass(frozen=True, slots=True)
class RateResult:
    """What a run came to.

    Attributes
    ----------
    pack : Path
        The file, in the run's folder.
    file_bytes : int
        Its size.
    trained_weights, weights : int
        Weights that are not 0, and all.
    validation_accuracy, test_accuracy : float
        0 to 1, of the network read back from the file.
    rate_weight : float
        The last one.
    trimmed : int
        Integers that were changed after training, so that the file is small enough.
    seconds : float
        Time of the whole call.
    """

    config: RateConfig
    pack: Path
    file_bytes: int
    trained_weights: int
    weights: int
    validation_accuracy: float
    test_accuracy: float
    rate_weight: float
    trimmed: int
    seconds: float


def recorded_result(config: RateConfig, folder: Path) -> RateResult | None:
    """Return what the log says that a run came to, or None if it has not ended."""
    for line in read_metrics(folder / METRICS):
        if line["event"] == "end" and set(_FIGURES) <= set(line):
            return make_result(config, folder, line)
    return None


def make_result(config: RateConfig, folder: Path, numbers: Mapping[str, Any]) -> RateResult:
    """Put a result together from its numbers."""
    return RateResult(config, folder / PACK, **{name: numbers[name] for name in _FIGURES})
