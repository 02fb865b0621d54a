"""What a run came to."""

from dataclasses import dataclass
from pathlib import Path

from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights
from freezepack.train.config import RunConfig
from freezepack.train.folder import CHECKPOINT
from freezepack.train.session import Session


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
        Time of the whole call, and the speed of training alone (0 if nothing was left to train).
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


def summarise(
    session: Session, folder: Path, accuracy: float, seconds: float, speed: float
) -> Result:
    """Count what was trained and put everything together."""
    model = build_model(session.config.model, session.config.model_args)
    sizes = {name: model.get_parameter(name).numel() for name in eligible_weights(model)}
    masks = session.record.masks
    weights = sum(sizes.values())
    trained = weights - sum(int((~mask).sum()) for mask in masks.values())
    return Result(
        config=session.config,
        out=folder,
        checkpoint=folder / CHECKPOINT,
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
    names = ("test_accuracy", "validation_accuracy", "weights", "trained_weights")
    more = ("trained_others", "seconds", "samples_per_second")
    return {name: getattr(result, name) for name in (*names, *more)}
