"""Magnitude: the oldest score, and the baseline of all others."""

import torch
from torch import nn

from freezepack.scores.task import Scores, ScoreTask


def magnitude(model: nn.Module, task: ScoreTask) -> Scores:
    """Score each weight by its absolute value. Needs no data.

    Examples
    --------
    >>> layer = nn.Linear(2, 1, bias=False)
    >>> _ = layer.weight.data.copy_(torch.tensor([[-2.0, 0.5]]))
    >>> magnitude(layer, ScoreTask(("weight",)))["weight"].tolist()
    [[2.0, 0.5]]
    """
    return {
        name: model.get_parameter(name).detach().to("cpu", torch.float64).abs()
        for name in task.names
    }
