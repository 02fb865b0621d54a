"""What changes during a run, and its checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from freezepack.nn.record import FreezeRecord
from freezepack.rate.config import RateConfig
from freezepack.rate.rated import Rated
from freezepack.rate.target import TargetControl
from freezepack.train.checkpoint import Checkpoint, save_checkpoint

SCORE = "rate"
FIGURES = "figures"
_ADAPTATIONS = 200
"""How often the rate weight is adapted to a target, at least."""


@dataclass(slots=True)
class RateSession:
    """What changes during a run.

    Attributes
    ----------
    control : TargetControl or None
        Of the rate weight.
    epoch : int
        Last epoch that is complete, 0 at the beginning.
    """

    config: RateConfig
    rated: Rated
    control: TargetControl | None = None
    epoch: int = 0
    validation_accuracy: float = 0.0

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are trained."""
        return self.epoch >= self.config.epochs

    def adapt(self, done: int) -> None:
        """Let the rate weight follow the target, now and then; `done` steps are taken."""
        optimizer = self.rated.optimizer
        every = min(optimizer.options.refresh, -(-optimizer.steps // _ADAPTATIONS))
        if self.control is not None and done % every == 0:
            part, size = done / optimizer.steps, self.rated.estimate()
            optimizer.rate_weight = self.control.adapt(optimizer.rate_weight, size, part)

    def save(self, path: Path, figures: Mapping[str, float] | None = None) -> None:
        """Write a checkpoint; the last one has the figures in place of what resuming needs."""
        config = self.config
        training = {
            "epoch": self.epoch,
            "optimizer": self.rated.optimizer.state_dict(),
            "overhead": self.rated.overhead,
            "control": self.control.state() if self.control is not None else [],
            "generator": torch.get_rng_state(),
        }
        metadata = {
            "data": config.data,
            "configuration_hash": config.hash,
            "validation_accuracy": repr(self.validation_accuracy),
            **({FIGURES: json.dumps(dict(figures))} if figures is not None else {}),
        }
        checkpoint = Checkpoint(
            config.model,
            config.model_args,
            FreezeRecord("zeros", config.seed, "0", SCORE),
            self.rated.whole_state(),
            metadata,
            training if figures is None else {},
        )
        save_checkpoint(path, checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint; the network has its tensors already."""
        training = checkpoint.training
        self.validation_accuracy = float(checkpoint.metadata["validation_accuracy"])
        self.epoch = int(training["epoch"])
        self.rated.optimizer.load_state_dict(training["optimizer"])
        self.rated.overhead = training["overhead"]
        if self.control is not None:
            self.control.load_state(training["control"])
        torch.set_rng_state(training["generator"])
