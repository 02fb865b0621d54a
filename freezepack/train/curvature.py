"""Curvature of a network's loss in its trained values: what their errors cost together."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from freezepack.train.data.dataset import Dataset

TEMPERATURE = 4.0
"""Softens the predictions: at 1 only the few images count of which the network is unsure."""
BATCH = 250
Positions = Mapping[str, NDArray[np.int64]]


def gauss_newton(
    model: nn.Module,
    data: Dataset,
    positions: Positions,
    split: str = "train",
    *,
    examples: int = 4000,
    temperature: float = TEMPERATURE,
) -> NDArray[np.float64]:
    """Return the Gauss-Newton matrix of the cross-entropy in some entries of the parameters.

    Parameters
    ----------
    model : torch.nn.Module
        Measured in evaluation mode, and in it left as it was.
    data : Dataset
        Has the split.
    positions : mapping of name to int64 array
        Entries of parameters in C order; of layers that `covered` names.
    split : str
        Where examples come from; not the test set. Labels are not used.
    examples : int
        Examples used, from the beginning of the split.
    temperature : float
        What logits are divided by before the softmax; see `TEMPERATURE`.

    Returns
    -------
    float64 array, shape (k, k)
        Mean of J.T @ (diag(p) - p p.T) @ J, with J the derivatives of the logits and p the
        predicted probabilities. Entries in the order of `positions`.
    """
    chosen = data.split(split)
    used = min(examples, len(chosen))
    places = {name: torch.from_numpy(np.asarray(p)) for name, p in positions.items()}
    size = sum(place.numel() for place in places.values())
    total = torch.zeros(size, size)
    training = model.training
    model.eval()
    for start in range(0, used, BATCH):
        inputs, _ = data.batch(chosen, slice(start, min(start + BATCH, used)))
        for rows in _factors(model, inputs, places, temperature):
            total.addmm_(rows.T, rows)
    model.train(training)
    matrix: NDArray[np.float64] = total.double().numpy() / used
    return matrix


def covered(model: nn.Module) -> frozenset[str]:
    """Return the names of the parameters whose curvature `gauss_newton` knows.

    They belong to linear layers and to convolutions without groups, padded by zeros.
    """
    return frozenset(
        f"{name}.{kind}"
        for name, layer in _layers(model).items()
        for kind, _ in layer.named_parameters(recurse=False)
    )


def _layers(model: nn.Module) -> dict[str, nn.Module]:
    return {
        name: layer
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Linear)
        or (
            isinstance(layer, nn.Conv2d)
            and layer.groups == 1
            and layer.padding_mode == "zeros"
            and not isinstance(layer.padding, str)
        )
    }


def _factors(
    model: nn.Module, inputs: Tensor, places: Mapping[str, Tensor], temperature: float
) -> Iterator[Tensor]:
    """Give for each class an array of shape (batch, k); their squares sum up to the matrix."""
    layers = {
        name: layer
        for name, layer in _layers(model).items()
        if f"{name}.weight" in places or f"{name}.bias" in places
    }
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def remember(name: str) -> object:
        def hook(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            seen[name] = (given[0].detach(), output)

        return hook

    hooks = [layer.register_forward_hook(remember(name)) for name, layer in layers.items()]  # type: ignore[arg-type]
    logits = model(inputs)
    for hook in hooks:
        hook.remove()
    patches = {name: _patches(layer, seen[name][0]) for name, layer in layers.items()}
    chances = (logits.detach() / temperature).softmax(1)
    for label in range(logits.shape[1]):
        chance = chances[:, label : label + 1].sqrt()
        weights = -chance * chances
        weights[:, label : label + 1] += chance
        wanted = [seen[name][1] for name in layers]
        slopes = torch.autograd.grad((logits * weights).sum(), wanted, retain_graph=True)
        parts: dict[str, Tensor] = {}
        for (name, patch), slope in zip(patches.items(), slopes, strict=True):
            flat = slope.flatten(2) if slope.dim() == 4 else slope[:, :, None]
            if f"{name}.bias" in places:
                parts[f"{name}.bias"] = flat.sum(2)[:, places[f"{name}.bias"]]
            if f"{name}.weight" in places:
                parts[f"{name}.weight"] = _at(flat, patch, places[f"{name}.weight"])
        yield torch.cat([parts[name] for name in places], 1)


def _patches(layer: nn.Module, inputs: Tensor) -> Tensor:
    """Return what the rows of a weight are multiplied by: shape (batch, columns, places)."""
    if isinstance(layer, nn.Conv2d):
        return F.unfold(inputs, layer.kernel_size, layer.dilation, layer.padding, layer.stride)  # type: ignore[arg-type]
    return inputs[:, :, None]


def _at(slope: Tensor, patch: Tensor, place: Tensor) -> Tensor:
    """Return entries of slope @ patch.T, example by example."""
    row, column = place // patch.shape[1], place % patch.shape[1]
    if slope.shape[2] == 1:
        return slope[:, row, 0] * patch[:, column, 0]
    return torch.bmm(slope, patch.transpose(1, 2)).flatten(1)[:, place]
