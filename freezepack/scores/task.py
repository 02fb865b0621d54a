"""What a score is given: which weights, which data, which loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
    mode : {"train", "eval"}
        Mode of the network while it is scored. Batch normalisation in "train" sees the batch as
        one chunk.
    dtype : torch.dtype
        Element type in which gradients are computed. float64 makes a mask independent of chunks,
        threads and device; use float32 only for a network that insists on it.
    """

    names: tuple[str, ...]
    streams: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    inputs: Tensor | None = None
    targets: Tensor | None = None
    loss: Loss = F.cross_entropy
    chunk: int | None = None
    mode: str = "train"
    dtype: torch.dtype = torch.float64


class Score(Protocol):
    """A score reads a network and leaves it as it was."""

    def __call__(self, model: nn.Module, task: ScoreTask) -> Scores:
        """Return one number per entry of each weight of `task.names`."""
        ...
