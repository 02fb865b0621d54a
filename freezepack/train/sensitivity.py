"""What errors of weights cost on real data: accuracy, loss, and squared gradients."""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from freezepack.train.data.dataset import Dataset

BATCH = 1000


def accuracy_and_loss(
    model: nn.Module, data: Dataset, split: str, most: int | None = None
) -> tuple[float, float]:
    """Return the accuracy, 0 to 1, and the mean cross-entropy on a split, in evaluation mode.

    The first `most` examples are used, or all. The mode of the model is as before afterwards.
    """
    examples = data.split(split)
    if most is not None:
        examples = examples.take(torch.arange(min(most, len(examples))))
    training = model.training
    model.eval()
    correct, loss = 0, 0.0
    with torch.no_grad():
        for start in range(0, len(examples), BATCH):
            inputs, labels = data.batch(examples, slice(start, start + BATCH))
            outputs = model(inputs)
            correct += int((outputs.argmax(1) == labels).sum())
            loss += float(F.cross_entropy(outputs, labels, reduction="sum"))
    model.train(training)
    return correct / len(examples), loss / len(examples)


def squared_gradients(
    model: nn.Module, data: Dataset, split: str = "train", *, examples: int = 4000, group: int = 8
) -> Mapping[str, NDArray[np.float64]]:
    """Return the mean squared gradient of each parameter: how much an error of it costs.

    The diagonal of the Fisher information: labels are drawn from the model's own probabilities,
    so that a network that makes no errors still shows what matters.

    Parameters
    ----------
    model : torch.nn.Module
        Measured in evaluation mode; its mode and gradients are as before afterwards.
    data : Dataset
        Has the split.
    split : str
        Where examples come from; not the test set.
    examples, group : int
        Examples used, from the beginning of the split, and how many share one gradient.

    Returns
    -------
    mapping of name to float64 array
        Of the parameters' shapes.
    """
    chosen = data.split(split)
    parameters = dict(model.named_parameters())
    sums = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in parameters.items()}
    draw = torch.Generator().manual_seed(0)
    training = model.training
    model.eval()
    used = min(examples, len(chosen))
    for start in range(0, used, group):
        inputs, _ = data.batch(chosen, slice(start, min(start + group, used)))
        outputs = model(inputs)
        chances = outputs.detach().softmax(1).cpu()
        labels = torch.multinomial(chances, 1, generator=draw)[:, 0].to(outputs.device)
        loss = F.cross_entropy(outputs, labels, reduction="sum")
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        for name, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                sums[name] += gradient.double() ** 2
    model.train(training)
    return {name: (total / used).cpu().numpy() for name, total in sums.items()}
