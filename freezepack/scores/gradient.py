"""Gradients of the mean loss over a score batch, in chunks, without touching the network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from freezepack.errors import SelectionError
from freezepack.scores.task import Scores, ScoreTask

DEFAULT_CHUNK = 256


def mean_gradients(model: nn.Module, task: ScoreTask, temperature: float = 1.0) -> Scores:
    """Return the gradient of the mean loss at the present weights.

    Parameters
    ----------
    model : torch.nn.Module
        Parameters, gradients, buffers and mode are as before afterwards.
    task : ScoreTask
        `inputs` and `targets` are needed. Where it has masks, weights outside them count as 0.
    temperature : float
        Outputs are divided by it before the loss.

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
    with losses_of(model, task, temperature) as (weights, losses):
        sums = [torch.zeros(w.shape, dtype=torch.float64) for w in weights]
        for loss in losses:
            add_gradients(sums, torch.autograd.grad(loss, weights, allow_unused=True))
    return dict(zip(task.names, add_up(sums, task), strict=True))


def add_up(sums: list[Tensor], task: ScoreTask) -> list[Tensor]:
    """Return the mean over the whole batch, of which other processes may have parts."""
    if task.add is None:
        return sums
    share = torch.tensor(float(len(task.inputs) if task.inputs is not None else 0)).double()
    total = float(task.add(share))
    return [task.add(part * float(share)) / total for part in sums]


def add_gradients(sums: list[Tensor], gradients: tuple[Tensor | None, ...]) -> None:
    """Add gradients to float64 sums on the CPU; None is that of a weight without influence."""
    for total, gradient in zip(sums, gradients, strict=True):
        if gradient is not None:
            total.add_(gradient.detach().to("cpu", torch.float64))


@contextmanager
def losses_of(
    model: nn.Module, task: ScoreTask, temperature: float = 1.0
) -> Iterator[tuple[list[Tensor], Iterator[Tensor]]]:
    """Give copies of the weights and, chunk by chunk, the loss as a function of them.

    The losses of all chunks add up to the mean loss of the batch. Mode, buffers and random state
    of the network are as before when the block is left. Parameters as for `mean_gradients`.
    """
    inputs, targets = _batch(task)
    parameters, buffers = copy_state(model, task)
    weights = [parameters[name].requires_grad_() for name in task.names]
    device = next(model.parameters()).device

    def chunks(size: int) -> Iterator[Tensor]:
        for start in range(0, len(inputs), size):
            part = inputs[start : start + size].to(device)
            part = part.to(task.dtype) if part.is_floating_point() else part
            labels = targets[start : start + size].to(device)
            output = call_with(model, {**parameters, **buffers}, part)
            share = len(part) / len(inputs)
            yield task.loss(output if temperature == 1.0 else output / temperature, labels) * share

    cards = [device] if device.type == "cuda" else []
    with network_mode(model, task.mode), torch.random.fork_rng(devices=cards):
        torch.manual_seed(task.seed % 2**63)  # dropout must repeat
        yield weights, chunks(_chunk_size(model, task, len(inputs)))


def copy_state(model: nn.Module, task: ScoreTask) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return copies of parameters and buffers in `task.dtype`; weights outside masks are 0.

    Under all their names: those of a tied weight share a copy.
    """
    copies: dict[int, Tensor] = {}

    def copy(tensor: Tensor) -> Tensor:
        if id(tensor) not in copies:
            dtype = task.dtype if tensor.is_floating_point() else tensor.dtype
            copies[id(tensor)] = tensor.detach().to(dtype, copy=True)
        return copies[id(tensor)]

    parameters = {k: copy(p) for k, p in model.named_parameters(remove_duplicate=False)}
    for name, mask in (task.masks or {}).items():
        outside = ~torch.from_numpy(mask).to(parameters[name].device)
        parameters[name][outside] = 0.0
    return parameters, {k: copy(b) for k, b in model.named_buffers(remove_duplicate=False)}


def call_with(model: nn.Module, tensors: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """Return what a model makes of `inputs` with other parameters and buffers.

    Parameters
    ----------
    model : torch.nn.Module
        As before afterwards.
    tensors : mapping of name to Tensor
        Under all names, as `copy_state` gives them.
    inputs : Tensor
        One batch.
    """
    # by one name per module: of a module with two names, torch would not give back its own tensors
    places = {
        name: tensors[name]
        for prefix, module in model.named_modules()
        for find in (module.named_parameters, module.named_buffers)
        for name, _ in find(prefix, recurse=False, remove_duplicate=False)
    }
    output: Tensor = functional_call(model, places, (inputs,), tie_weights=False)
    return output


def _batch(task: ScoreTask) -> tuple[Tensor, Tensor]:
    if task.inputs is None or task.targets is None:
        raise SelectionError("this score needs a batch of inputs and targets, none was given")
    if len(task.inputs) != len(task.targets) or len(task.inputs) == 0:
        found = f"{len(task.inputs)} inputs and {len(task.targets)} targets"
        raise SelectionError(f"the score batch has {found}, expected as many of each, at least 1")
    if not 1 <= task.batches <= len(task.inputs):
        found = f"{task.batches} batches of {len(task.inputs)} examples in all"
        raise SelectionError(f"the score has {found}, expected 1 to {len(task.inputs)} batches")
    return task.inputs, task.targets


def _chunk_size(model: nn.Module, task: ScoreTask, count: int) -> int:
    whole = any(
        isinstance(m, _BatchNorm) and (m.training or m.running_mean is None)
        for m in model.modules()
    )
    if not whole:
        return task.chunk or DEFAULT_CHUNK
    size = -(-count // task.batches)
    if task.chunk is not None and task.chunk < size:
        problem = f"batch normalisation needs the {size} examples in one chunk, not {task.chunk}"
        raise SelectionError(f"{problem}: leave the chunk size out or score in mode 'eval'")
    return size


@contextmanager
def network_mode(model: nn.Module, mode: str) -> Iterator[None]:
    """Put a network into a mode for the block; each module gets its own mode back.

    Raises
    ------
    SelectionError
        If `mode` is neither "train" nor "eval".
    """
    if mode not in ("train", "eval"):
        raise SelectionError(f"score mode is {mode!r}, expected 'train' or 'eval'")
    before = [(module, module.training) for module in model.modules()]
    model.train(mode == "train")
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
