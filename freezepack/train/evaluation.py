"""Accuracy on a split."""

import torch
from torch import nn

from freezepack.train.data.dataset import Dataset

BATCH_SIZE = 1000
"""The one batch size of evaluation, so that the same weights give the same accuracy everywhere."""


def evaluate(
    model: nn.Module, data: Dataset, split: str = "test", batch_size: int = BATCH_SIZE
) -> float:
    """Return the share of a split that a model classifies correctly.

    Parameters
    ----------
    model : torch.nn.Module
        On the device of the data. Its mode is as before afterwards.
    data : Dataset
        Has the split.
    split : {"test", "validation", "train"}
        What to evaluate on.
    batch_size : int
        Examples per pass.

    Returns
    -------
    float
        0 to 1: correct answers divided by examples.

    Examples
    --------
    >>> from freezepack.train.data.dataset import load_data
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> _ = nn.init.zeros_(model[1].weight), nn.init.zeros_(model[1].bias)
    >>> round(evaluate(model, load_data("digits")), 3)  # it always answers 0
    0.092
    """
    chosen = data.split(split)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    correct = torch.zeros((), dtype=torch.int64, device=chosen.labels.device)
    with torch.no_grad():
        for start in range(0, len(chosen), batch_size):
            inputs, labels = data.batch(chosen, slice(start, start + batch_size))
            correct += (model(inputs).argmax(1) == labels).sum()
    for module, training in modes:
        module.training = training
    return int(correct) / len(chosen)
