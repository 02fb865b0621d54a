"""Gradients of the mean loss over a score batch, in chunks, without touching the network."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from freezepack.errors import SelectionError
from freezepack.scores.task import Scores, ScoreTask

DEFAULT_CHUNK = 256


def mean_gradients(model: nn.Module, task: ScoreTask) -> Scores:
    """Return the gradient of the mean loss at the present weights.

    Parameters
    ----------
    model : torch.nn.Module
        Parameters, gradients, buffers and mode are as before afterwards.
    task : ScoreTask
        `inputs` and `targets` are needed.

    Returns
    -------
    dict of name to float64 CPU tensor

    Raises
    ------
    SelectionError
        If there is no batch, inputs and targets differ in length, or chunks were asked for
        although batch normalisation in training mode needs the batch as a whole.

    Notes
    -----
    One forward and backward pass over the batch in `task.dtype`. In float64 the sum over 1 and
    over N chunks differs by about 1e-16 of its size, in float32 by 1e-7.
    """
    inputs, targets = _batch(task)
    dtype = task.dtype
    device = next(model.parameters()).device
    parameters = {k: p.detach().to(dtype, copy=True) for k, p in model.named_parameters()}
    buffers = {
        k: b.detach().to(dtype, copy=True) if b.is_floating_point() else b.detach().clone()
        for k, b in model.named_buffers()
    }
    weights = [parameters[name].requires_grad_() for name in task.names]
    sums = [torch.zeros(w.shape, dtype=torch.float64) for w in weights]
    cards = [device] if device.type == "cuda" else []
    with _mode(model, task), torch.random.fork_rng(devices=cards):
        torch.manual_seed(task.seed % 2**63)  # dropout must repeat
        size = _chunk_size(model, task, len(inputs))
        for start in range(0, len(inputs), size):
            part = inputs[start : start + size].to(device)
            part = part.to(dtype) if part.is_floating_point() else part
            labels = targets[start : start + size].to(device)
            output = functional_call(model, (parameters, buffers), (part,))
            loss = task.loss(output, labels) * (len(part) / len(inputs))
            grads = torch.autograd.grad(loss, weights, allow_unused=True)
            for i, grad in enumerate(grads):
                if grad is not None:
                    sums[i] += grad.to("cpu", torch.float64)
    return dict(zip(task.names, sums, strict=True))


def _batch(task: ScoreTask) -> tuple[Tensor, Tensor]:
    if task.inputs is None or task.targets is None:
        raise SelectionError("this score needs a batch of inputs and targets, none was given")
    if len(task.inputs) != len(task.targets) or len(task.inputs) == 0:
        found = f"{len(task.inputs)} inputs and {len(task.targets)} targets"
        raise SelectionError(f"the score batch has {found}, expected as many of each, at least 1")
    return task.inputs, task.targets


def _chunk_size(model: nn.Module, task: ScoreTask, count: int) -> int:
    whole = any(
        isinstance(m, _BatchNorm) and (m.training or m.running_mean is None)
        for m in model.modules()
    )
    if not whole:
        return task.chunk or DEFAULT_CHUNK
    if task.chunk is not None and task.chunk < count:
        problem = f"batch normalisation needs the {count} examples in one chunk, not {task.chunk}"
        raise SelectionError(f"{problem}: leave the chunk size out or score in mode 'eval'")
    return count


@contextmanager
def _mode(model: nn.Module, task: ScoreTask) -> Iterator[None]:
    if task.mode not in ("train", "eval"):
        raise SelectionError(f"score mode is {task.mode!r}, expected 'train' or 'eval'")
    before = [(module, module.training) for module in model.modules()]
    model.train(task.mode == "train")
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
