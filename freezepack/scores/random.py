"""Random: scores drawn by the generator, the control of every comparison."""

import numpy as np
import torch
from torch import nn

from freezepack.random import words
from freezepack.scores.task import Scores, ScoreTask

MASK_STREAMS = 2**63
"""Stream of a tensor's seeded mask, less the stream of the tensor itself."""


def random(model: nn.Module, task: ScoreTask) -> Scores:
    """Score each weight by a word of the generator. Needs no data.

    Notes
    -----
    The score is minus the word, ties going to the lower index: what is selected are the smallest
    words of each tensor's mask stream, which the index codec `seeded` stores in 0 bytes.

    Examples
    --------
    >>> layer = nn.Linear(2, 2, bias=False)
    >>> random(layer, ScoreTask(("weight",), {"weight": 0}, seed=1))["weight"].dtype
    torch.float64
    """
    scores: Scores = {}
    for name in task.names:
        weight = model.get_parameter(name)
        drawn = np.empty(weight.numel(), np.uint32)
        words(drawn, key=task.seed, stream=MASK_STREAMS + task.streams[name])
        scores[name] = torch.from_numpy(-drawn.astype(np.float64)).reshape(weight.shape)
    return scores
