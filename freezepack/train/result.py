"""What a run came to."""

from dataclasses import dataclass
from pathlib import Path

from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights
from freezepack.train.config import RunConfig
from freezepack.train.folder import CHECKPOINT, METRICS
from freezepack.train.logs import read_metrics
from freezepack.train.session import Session

_FIGURES = (
    "test_accuracy",
    "validation_accuracy",
    "weights",
    "trained_weights",
    "trained_others",
    "seconds",
    "samples_per_second",
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to.

    Attributes
    ----------
    config, out, checkpoint
        What was run, and where its files are.
    test_accuracy, validation_accuracy : float
        0 to 1.
    weights, trained_weights, trained_others : int
        Weights that could be frozen, those of them that were trained, and all other trained
        values (biases, normalisation).
    seconds, samples_per_second : float
        Time of the whole call, and the speed of training alone over all epochs.
    """

    config: RunConfig
    out: Path
    checkpoint: Path
    test_accuracy: float
    validation_accuracy: float
    weights: int
    trained_weights: int
    trained_others: int
    seconds: float
    samples_per_second: float


def summarise(session: Session, out: Path, accuracy: float, seconds: float, speed: float) -> Result:
    """Count what was trained and put everything together."""
    model = build_model(session.config.model, session.config.model_args)
    sizes = {name: model.get_parameter(name).numel() for name in eligible_weights(model)}
    masks = session.record.masks
    weights = sum(sizes.values())
    trained = weights - sum(int((~mask).sum()) for mask in masks.values())
    return Result(
        config=session.config,
        out=out,
        checkpoint=out / CHECKPOINT,
        test_accuracy=accuracy,
        validation_accuracy=session.validation_accuracy,
        weights=weights,
        trained_weights=trained,
        trained_others=sum(p.numel() for p in model.parameters()) - weights,
        seconds=seconds,
        samples_per_second=speed,
    )


def figures(result: Result) -> dict[str, float]:
    """Return the numbers of a result, for a log."""
    return {name: getattr(result, name) for name in _FIGURES}


def recorded_result(config: RunConfig, out: Path) -> Result | None:
    """Return what the log says that a run came to, or None if it has not ended."""
    for line in read_metrics(out / METRICS):
        if line["event"] == "end" and set(_FIGURES) <= set(line):
            numbers = {name: line[name] for name in _FIGURES}
            return Result(config, out, out / CHECKPOINT, **numbers)
    return None
