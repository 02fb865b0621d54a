"""What a score is given: which weights, which data, which loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freezepack.types import BoolArray

Scores = dict[str, Tensor]
"""Name to float64 CPU tensor of the weight's shape; higher is more important."""
Loss = Callable[[Tensor, Tensor], Tensor]
"""From a model's output and the targets to the mean loss."""


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """Everything a score may use beside the network.

    Attributes
    ----------
    names : tuple of str
        The weights to score, in file order.
    streams : mapping of name to int
        Stream number of each weight, for scores that draw.
    seed : int
        Key of the generator, for scores that draw.
    inputs, targets : Tensor, optional
        The score batch; scores without data ignore it.
    loss : callable
        Mean loss of a batch.
    chunk : int, optional
        Examples per pass, to bound memory; None takes what the network allows. Chunks change no
        result: sums are kept in float64.
    batches : int
        Parts of equal length, the last one may be shorter, that the batch consists of, each
        normalised by its own statistics where the network normalises batches in training mode.
        Gradients are averaged. Without such layers it changes no result.
    mode : {"train", "eval"}
        Mode of the network while it is scored. Batch normalisation in "train" sees each of
        the `batches` as one chunk.
    dtype : torch.dtype
        Element type in which gradients are computed. float64 makes a mask independent of chunks,
        threads and device; use float32 only for a network that insists on it.
    masks : mapping of name to bool array, optional
        Where the network is scored as a pruned one: weights that are False count as 0 in the
        forward pass. They are scored all the same, with their own value: by what they would
        matter if they came back.
    add : callable, optional
        Sums a float64 tensor over the processes of a run, each of which has its own part of the
        batch: all of them get the same scores. Not given, the batch here is the whole one.
    """

    names: tuple[str, ...]
    streams: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    inputs: Tensor | None = None
    targets: Tensor | None = None
    loss: Loss = F.cross_entropy
    chunk: int | None = None
    batches: int = 1
    mode: str = "train"
    dtype: torch.dtype = torch.float64
    masks: Mapping[str, BoolArray] | None = None
    add: Callable[[Tensor], Tensor] | None = None


class Score(Protocol):
    """A score reads a network and leaves it as it was."""

    def __call__(self, model: nn.Module, task: ScoreTask) -> Scores:
        """Return one number per entry of each weight of `task.names`."""
        ...
