"""Squared gradient: what the code published with FORCE calls GraSP-It."""

from torch import nn

from freezepack.scores.gradient import mean_gradients
from freezepack.scores.task import Scores, ScoreTask


def gradient_norm(model: nn.Module, task: ScoreTask) -> Scores:
    """Score each weight by its share of the squared norm of the gradient.

    Needs data. One forward and backward pass over the score batch.

    Notes
    -----
    S = (dL/dw)^2, L the mean loss of the score batch. The value of the weight plays no part. The
    code published with FORCE iterates it, without regrowing, under the name of GraSP-It; the
    strategy `iterative` with the score `grasp` iterates GraSP itself.

    References
    ----------
    De Jorge et al., "Progressive Skeletonization", arXiv:2006.09081, published code.

    Examples
    --------
    >>> import torch
    >>> task = ScoreTask(("weight",), inputs=torch.ones(1, 1), targets=torch.tensor([0]))
    >>> layer = nn.Linear(1, 2, bias=False)
    >>> _ = layer.weight.data.zero_()
    >>> gradient_norm(layer, task)["weight"].tolist()
    [[0.25], [0.25]]
    """
    return {name: gradient**2 for name, gradient in mean_gradients(model, task).items()}
