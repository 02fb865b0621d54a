"""The training itself: epochs, then the last bytes, for any network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from freezepack.pack.packer import Packed
from freezepack.rate.config import RateConfig
from freezepack.rate.copies import Copies
from freezepack.rate.distill import Lesson
from freezepack.rate.live import unnarrow
from freezepack.rate.loop import Plan, fit, losses
from freezepack.rate.rated import Rated
from freezepack.rate.result import RateEpoch
from freezepack.rate.session import RateSession
from freezepack.rate.start import put_on_grid
from freezepack.rate.trim import trim
from freezepack.train.data.dataset import Dataset
from freezepack.train.loop import Callback, Epoch

_EXAMPLES = 8
"""Images on which an order of units must not change the answers."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A network trained for its file.

    Attributes
    ----------
    packed : Packed
        The file and what it holds.
    trained_weights, weights : int
        Weights that are not 0, and all.
    rate_weight : float
        The last one.
    trimmed : int
        Integers that were changed after training, so that the file is small enough.
    """

    packed: Packed
    trained_weights: int
    weights: int
    rate_weight: float
    trimmed: int


def train_for_rate(
    model: nn.Module,
    data: Dataset,
    config: RateConfig,
    *,
    teacher: nn.Module | None = None,
    callbacks: Sequence[Callback] = (),
) -> Trained:
    """Train any network of images for the file it will become.

    Parameters
    ----------
    model : torch.nn.Module
        Initialised, on the device of the data. Trained in place: afterwards its Parameters have
        the values of the file, bit for bit.
    data : Dataset
        With the splits "train" and "validation".
    config : RateConfig
        `model`, `model_args` and `teacher` are not looked at.
    teacher : torch.nn.Module, optional
        In evaluation mode; its answers are learned from, see `Lesson`.
    callbacks : sequence of Callback
        Told of every step, and of every epoch as a `RateEpoch`.

    Raises
    ------
    SelectionError
        If the network cannot be put on grids.
    FreezepackError
        If the loss is not finite, or the target is out of reach.
    """
    session = put_on_grid(model, config, data)
    copies = make_copies(config, data)
    found = train(session, data, copies, teacher=teacher, callbacks=callbacks)
    unnarrow(model, session.rated.full)
    return found


def train(
    session: RateSession,
    data: Dataset,
    copies: Copies,
    *,
    teacher: nn.Module | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Path | None = None,
) -> Trained:
    """Train what is left of a session, make it small enough and pack it.

    The checkpoint, if there is to be one, is written after each epoch, when callbacks are told.
    """
    config, rated = session.config, session.rated
    plan = _plan(session, data, copies, teacher)
    example, _ = data.batch(data.split("train"), slice(0, _EXAMPLES))
    if not session.is_complete:
        fit(
            plan,
            first=session.epoch + 1,
            callbacks=[*callbacks, _Keeper(session, checkpoint)],
            after_step=session.adapt,
            describe=lambda epoch: _describe(rated, epoch, example),
        )
    rated.arrange(example, config.exchanges)
    trimmed = 0
    if config.target_bytes is not None:
        for size in (rated.estimate, rated.size):
            trimmed += trim(
                rated.optimizer,
                config.target_bytes,
                size,
                lambda: losses(plan),
                batch_size=config.batch_size,
            )
    weight = rated.optimizer.rate_weight
    return Trained(rated.pack(), rated.trained, rated.weights, weight, trimmed)


def make_copies(config: RateConfig, data: Dataset) -> Copies:
    """Return the images that a configuration trains on."""
    return Copies(
        data,
        config.copies,
        config.augmentation,
        plain=config.plain,
        strength=config.strength,
        seed=config.seed,
    )


class _Keeper(Callback):
    """Take note of each epoch and write the checkpoint."""

    def __init__(self, session: RateSession, path: Path | None) -> None:
        self._session, self._path = session, path

    def on_epoch(self, epoch: Epoch) -> None:
        """Write it."""
        self._session.epoch = epoch.number
        self._session.validation_accuracy = epoch.validation_accuracy
        if self._path is not None:
            self._session.save(self._path)


def _describe(rated: Rated, epoch: Epoch, example: Tensor) -> RateEpoch:
    """Put hidden units in order, without a search, and say what the file would be."""
    rated.arrange(example, 0)
    known = {name: getattr(epoch, name) for name in Epoch.__dataclass_fields__}
    return RateEpoch(
        **known,
        estimated_bytes=rated.estimate(),
        file_bytes=rated.size(),
        trained_weights=rated.trained,
        rate_weight=rated.optimizer.rate_weight,
    )


def _plan(session: RateSession, data: Dataset, copies: Copies, teacher: nn.Module | None) -> Plan:
    config = session.config
    return Plan(
        model=session.rated.model,
        optimizer=session.rated.optimizer,
        data=data,
        copies=copies,
        epochs=config.epochs,
        batch_size=config.batch_size,
        lr=config.lr,
        seed=config.seed,
        lesson=Lesson(config.label_part, config.teacher_part, config.temperature),
        teacher=teacher,
        mixed=config.precision == "bfloat16",
        channels_last=config.channels_last,
    )
