"""SynFlow: synaptic flow, a score without data."""

import torch
from torch import Tensor, nn

from freezepack.errors import SelectionError
from freezepack.scores.gradient import call_with, copy_state, network_mode
from freezepack.scores.task import Scores, ScoreTask


def synflow(model: nn.Module, task: ScoreTask) -> Scores:
    """Score each weight by the flow through it: products of absolute weights over all paths.

    Needs no data, only the shape of an input: that of `task.inputs`, else the network's
    `input_shape`. One forward and backward pass of one example, in float64, which deep networks
    need. Meant for iterative selection; in one shot it removes whole layers at high rates.

    Raises
    ------
    SelectionError
        If the shape of an input is unknown, or a score overflows.

    Notes
    -----
    R = sum of the outputs of the network at an input of ones, every parameter and buffer replaced
    by its absolute value, in evaluation mode; S = abs(w) * dR/d(abs(w)). Biases and normalisation
    are replaced too, as in the published code. Without biases the scores of a layer add up to R,
    for every layer. The paper's R has no absolute value around w in S; it is 0 or more anyhow.

    References
    ----------
    Tanaka, Kunin, Yamins, Ganguli, "Pruning neural networks without any data by iteratively
    conserving synaptic flow", arXiv:2006.05467.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(1, 1, bias=False))
    >>> _ = net[0].weight.data.copy_(torch.tensor([[1.0, -2.0]])), net[1].weight.data.fill_(-3.0)
    >>> task = ScoreTask(("0.weight", "1.weight"), inputs=torch.zeros(1, 2))
    >>> {name: score.tolist() for name, score in synflow(net, task).items()}
    {'0.weight': [[3.0, 6.0]], '1.weight': [[9.0]]}
    """
    parameters, buffers = copy_state(model, task)
    for tensor in (*parameters.values(), *buffers.values()):
        tensor.abs_()
    own = {name: model.get_parameter(name).detach().abs() for name in task.names}
    weights = [parameters[name].requires_grad_() for name in task.names]
    ones = torch.ones(1, *_input_shape(model, task)).to(weights[0])
    with network_mode(model, "eval"):
        flow = call_with(model, {**parameters, **buffers}, ones).sum()
        gradients = torch.autograd.grad(flow, weights, allow_unused=True)
    scores: Scores = {}
    for name, gradient in zip(task.names, gradients, strict=True):
        kept = torch.zeros_like(own[name]) if gradient is None else gradient
        scores[name] = own[name].to("cpu", torch.float64) * kept.to("cpu", torch.float64)
        if not torch.isfinite(scores[name]).all():
            problem = f"the flow through {name!r} is not finite"
            raise SelectionError(
                f"{problem}: score in float64, and normalise or rescale the layers"
            )
    return scores


def _input_shape(model: nn.Module, task: ScoreTask) -> tuple[int, ...]:
    if isinstance(task.inputs, Tensor) and task.inputs.dim() > 1:
        return tuple(task.inputs.shape[1:])
    shape = getattr(model, "input_shape", None)
    if shape is None:
        problem = "synflow needs the shape of an input, and the network has no `input_shape`"
        raise SelectionError(f"{problem}: give a batch, whose content does not matter")
    return tuple(shape)
