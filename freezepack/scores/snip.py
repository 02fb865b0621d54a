"""SNIP: connection sensitivity."""

import torch
from torch import nn

from freezepack.scores.gradient import mean_gradients
from freezepack.scores.task import Scores, ScoreTask


def snip(model: nn.Module, task: ScoreTask) -> Scores:
    """Score each weight by how much the loss changes when it is removed, to first order.

    Needs data. One forward and backward pass over the score batch.

    Notes
    -----
    S = abs(w * dL/dw), L the mean loss of the score batch. The paper divides by the sum of all S,
    which changes no selection and is left out. The sign is the paper's: the absolute value.

    References
    ----------
    Lee, Ajanthan, Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity",
    arXiv:1810.02340.

    Examples
    --------
    >>> layer = nn.Linear(1, 2, bias=False)
    >>> _ = layer.weight.data.copy_(torch.tensor([[0.0], [1.0]]))
    >>> task = ScoreTask(("weight",), inputs=torch.ones(1, 1), targets=torch.tensor([0]))
    >>> snip(layer, task)["weight"].flatten().round(decimals=4).tolist()
    [0.0, 0.7311]
    """
    gradients = mean_gradients(model, task)
    with torch.no_grad():
        return {
            name: (model.get_parameter(name).detach().to("cpu", torch.float64) * grad).abs()
            for name, grad in gradients.items()
        }
