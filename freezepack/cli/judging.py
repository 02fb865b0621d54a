"""What rounding does to a network on the images on which it may be judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from freezepack.checkpoints.torch_file import tensors_of
from freezepack.train import evaluate
from freezepack.train.sensitivity import divergence, predict

if TYPE_CHECKING:
    from torch import Tensor, nn

    from freezepack.checkpoints.state import State
    from freezepack.pack.lossy import Rounded
    from freezepack.rebuild.bases import Arrays
    from freezepack.train.data.dataset import Dataset

TRAINING_IMAGES = 10_000
"""How many of them are looked at, beside the validation images, for changed predictions."""


class Judge:
    """Measures rounded models against the one before rounding.

    Parameters
    ----------
    network : torch.nn.Module
        Takes the tensors of one model after the other, and keeps those of the last.
    data : Dataset
        Has the splits "train" and "validation".
    state : State
        The model before rounding; its predictions are taken now.
    """

    def __init__(self, network: nn.Module, data: Dataset, state: State) -> None:
        self._network, self._data, self._state = network, data, state
        self._before = self._predict(state.arrays)

    def divergence(self, arrays: Arrays) -> float:
        """Return how far predictions are from those before rounding, in nats."""
        return divergence(self._before, self._predict(arrays))

    def accuracy(self, arrays: Arrays) -> float:
        """Return the accuracy on validation images, 0 to 1."""
        self._load(arrays)
        return evaluate(self._network, self._data, "validation")

    def measure(self, rounded: Rounded) -> Rounded:
        """Return a rounded model with what was measured of it."""
        measured = {
            "validation_accuracy_before": self.accuracy(self._state.arrays),
            "validation_accuracy": self.accuracy(rounded.arrays),
            "divergence": self.divergence(rounded.arrays),
        }
        return replace(rounded, measured=measured)

    def _predict(self, arrays: Arrays) -> Tensor:
        self._load(arrays)
        return torch.cat(
            [
                predict(self._network, self._data, "validation"),
                predict(self._network, self._data, "train", TRAINING_IMAGES),
            ]
        )

    def _load(self, arrays: Arrays) -> None:
        self._network.load_state_dict(tensors_of(arrays, self._state.aliases))
