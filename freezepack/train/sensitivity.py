"""What errors of weights cost on real data: changed predictions, and squared gradients."""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from freezepack.train.curvature import TEMPERATURE
from freezepack.train.data.dataset import Dataset

BATCH = 1000


def predict(model: nn.Module, data: Dataset, split: str, most: int | None = None) -> Tensor:
    """Return the outputs of a model, shape (n, classes), in evaluation mode.

    For the first `most` examples of a split, or all. The mode of the model is as before afterwards.
    """
    examples = data.split(split)
    count = len(examples) if most is None else min(most, len(examples))
    training = model.training
    model.eval()
    with torch.no_grad():
        outputs = [
            model(data.batch(examples, slice(start, min(start + BATCH, count)))[0])
            for start in range(0, count, BATCH)
        ]
    model.train(training)
    return torch.cat(outputs)


def divergence(before: Tensor, after: Tensor, temperature: float = TEMPERATURE) -> float:
    """Return how far predictions are from others, in nats: the mean over the examples.

    Parameters
    ----------
    before, after : float Tensor, shape (n, classes)
        Outputs before the softmax.
    temperature : float
        What both are divided by. At 1 some images of which the network is unsure decide, and
        twice the same error gives values that differ by a quarter; at 4 all images have a say.

    Returns
    -------
    float
        The Kullback-Leibler divergence, 0 for the same predictions.

    Examples
    --------
    >>> divergence(torch.zeros(1, 2), torch.zeros(1, 2) + 7.0)
    0.0
    >>> round(divergence(torch.zeros(1, 2), torch.tensor([[0.0, 2.0]]), temperature=1.0), 4)
    0.4338
    """
    expected, found = ((z / temperature).log_softmax(1) for z in (before, after))
    return float((expected.exp() * (expected - found)).sum(1).mean())


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
