"""Model, optimiser and progress of a run: begun from a seed or continued from a checkpoint."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.nn.frozen import freeze_weights
from freezepack.nn.record import FreezeRecord, attach_record, record_of
from freezepack.nn.state import dense_state
from freezepack.nn.supermask import load_scores, popups_of
from freezepack.train.average import Average
from freezepack.train.checkpoint import Checkpoint, save_checkpoint
from freezepack.train.config import RunConfig
from freezepack.train.data.dataset import Dataset
from freezepack.train.freezing import check_frozen
from freezepack.train.loop import Callback, Epoch
from freezepack.train.methods import METHODS, Prepared, Start
from freezepack.train.optimizer import build_optimizer
from freezepack.train.ranks import Ranks

ALONE = Ranks()


@dataclass(slots=True)
class Session:
    """What changes during a run.

    Attributes
    ----------
    epoch : int
        Last epoch that is complete, 0 at the beginning.
    validation_accuracy : float
        After that epoch, 0 to 1.
    average : Average or None
        Moving average of the trained values, if the configuration asks for one.
    """

    config: RunConfig
    model: nn.Module
    optimizer: torch.optim.Optimizer
    record: FreezeRecord
    epoch: int = 0
    validation_accuracy: float = 0.0
    average: Average | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are trained."""
        return self.epoch >= int(self.config.epochs or 1)


def begin(config: RunConfig, data: Dataset, device: str = "cpu", ranks: Ranks = ALONE) -> Session:
    """Build and initialise a network, and do with it what the method says.

    Several processes score a part of the batch each and get the same masks.

    Raises
    ------
    SelectionError
        If the freezing rate is impossible for the network.
    """
    model = build_model(config.model, config.model_args)
    fill_module(model, config.seed, str(config.scheme))
    model.to(device)
    return _prepare(config, model, _call_method(Start(config, model, data, ranks)))


def restore(config: RunConfig, checkpoint: Checkpoint, device: str = "cpu") -> Session:
    """Put a run back to where its checkpoint was written."""
    model = build_model(checkpoint.model, checkpoint.model_args)
    model.load_state_dict(checkpoint.state)
    model.to(device)
    scores = checkpoint.training.get("scores")
    if scores:
        prepared = _call_method(Start(config, model, None, ALONE))
        load_scores(model, scores)
    else:
        prepared = Prepared(checkpoint.record)
        freeze_weights(model, checkpoint.record.masks)
        attach_record(model, checkpoint.record)
    session = _prepare(config, model, prepared)
    session.validation_accuracy = float(checkpoint.metadata["validation_accuracy"])
    session.epoch = int(config.epochs or 1)
    if checkpoint.training:
        session.epoch = int(checkpoint.training["epoch"])
        session.optimizer.load_state_dict(checkpoint.training["optimizer"])
        torch.set_rng_state(checkpoint.training["generator"])
        if session.average is not None:
            session.average.load_state(checkpoint.training["average"])
    return session


class Saver(Callback):
    """Keep the session up to date and write its checkpoint after each epoch."""

    def __init__(self, session: Session, path: Path) -> None:
        self._session = session
        self._path = path

    def on_epoch(self, epoch: Epoch) -> None:
        """Check the frozen weights and write the checkpoint.

        The last one is without what only resuming needs.

        Raises
        ------
        BaseDriftError
            If a frozen weight has moved; the checkpoint of the epoch before stays.
        """
        session = self._session
        check_frozen(session.model)
        session.epoch = epoch.number
        session.record = record_of(session.model) or session.record
        session.validation_accuracy = epoch.validation_accuracy
        config = session.config
        metadata = {
            "data": config.data,
            "configuration_hash": config.hash,
            "validation_accuracy": repr(epoch.validation_accuracy),
        }
        training = {
            "epoch": epoch.number,
            "optimizer": session.optimizer.state_dict(),
            "generator": torch.get_rng_state(),
            "average": session.average.state() if session.average is not None else {},
            "scores": {name: s.detach().cpu() for name, (_, s) in popups_of(session.model).items()},
        }
        checkpoint = Checkpoint(
            config.model,
            config.model_args,
            session.record,
            dense_state(session.model),
            metadata,
            {} if session.is_complete else training,
        )
        save_checkpoint(self._path, checkpoint)


def _call_method(start: Start) -> Prepared:
    config = start.config
    prepared: Prepared = METHODS.get_part(config.method)(start, **config.method_args)
    return prepared


def _prepare(config: RunConfig, model: nn.Module, prepared: Prepared) -> Session:
    if config.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = build_optimizer(config, model)
    if prepared.after_step is not None:
        prepared.after_step()
        optimizer.register_step_post_hook(prepared.after_step)
    average = Average(model, config.ema) if config.ema is not None else None
    return Session(config, model, optimizer, prepared.record, average=average)
