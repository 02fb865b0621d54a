"""GraSP: gradient signal preservation."""

import torch
from torch import nn

from freezepack.scores.gradient import add_gradients, add_up, losses_of, mean_gradients
from freezepack.scores.task import Scores, ScoreTask

TEMPERATURE = 200.0
"""Outputs are divided by it before the loss, as in the published code."""


def grasp(model: nn.Module, task: ScoreTask) -> Scores:
    """Score each weight by how much the norm of the gradient falls when it is removed.

    Needs data. Two forward and backward passes over the score batch, one of them with a second
    backward pass through the first: three to four times the cost of SNIP, and memory for the
    graph of one chunk's gradient.

    Notes
    -----
    S = w * (H g), with g the gradient and H the Hessian of the mean loss at outputs divided by
    200. The paper defines -w * (H g) and removes the weights where it is **largest**; the sign is
    turned here, so that higher is more important, as for every score. The product H g is the
    gradient of dot(stop(g), g): g is that of the whole batch, so chunks change nothing.

    References
    ----------
    Wang, Zhang, Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow",
    arXiv:2002.07376, and its published code for temperature and classes per batch.

    Examples
    --------
    >>> layer = nn.Linear(1, 2, bias=False)
    >>> _ = layer.weight.data.copy_(torch.tensor([[0.0], [1.0]]))
    >>> task = ScoreTask(("weight",), inputs=torch.ones(1, 1), targets=torch.tensor([0]))
    >>> scores = grasp(layer, task)["weight"].flatten()
    >>> bool(scores[0] == 0), bool(scores[1] > 0)
    (True, True)
    """
    first = mean_gradients(model, task, TEMPERATURE)
    with losses_of(model, task, TEMPERATURE) as (weights, losses):
        fixed = [first[n].to(w) for n, w in zip(task.names, weights, strict=True)]
        sums = [torch.zeros(w.shape, dtype=torch.float64) for w in weights]
        for loss in losses:
            gradients = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
            pairs = zip(gradients, fixed, strict=True)
            product = sum((g * f).sum() for g, f in pairs if g is not None)
            if isinstance(product, torch.Tensor) and product.requires_grad:
                add_gradients(sums, torch.autograd.grad(product, weights, allow_unused=True))
    return {
        name: model.get_parameter(name).detach().to("cpu", torch.float64) * total
        for name, total in zip(task.names, add_up(sums, task), strict=True)
    }
