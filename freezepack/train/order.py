"""Orders drawn by the generator: validation split, shuffling, score batch.

The streams from 2**63 + 2**62 on belong to such purposes, so no order shares words with a tensor
or its mask, and all orders are the same on every machine.
"""

from enum import IntEnum

import torch
from torch import Tensor

from freezepack.errors import SelectionError
from freezepack.random import permutation

_FIRST_STREAM = 2**63 + 2**62
_PURPOSES = 256


class Purpose(IntEnum):
    """What an order is for; each has its own streams."""

    validation = 0
    shuffling = 1
    score_batch = 2
    augmentation = 3
    scores = 4


def draw_order(count: int, purpose: Purpose, *, seed: int, epoch: int = 0) -> Tensor:
    """Return the numbers 0 to `count` - 1 in an order that depends on nothing else.

    Parameters
    ----------
    count : int
        How many.
    purpose : Purpose
        What for.
    seed : int
        Key of the generator: the run's seed, or 0 for what belongs to the data set.
    epoch : int
        Each epoch has its own order, so that a resumed run needs no generator state.

    Returns
    -------
    int64 Tensor, shape (count,)

    Examples
    --------
    >>> sorted(draw_order(4, Purpose.shuffling, seed=1, epoch=2).tolist())
    [0, 1, 2, 3]
    """
    return torch.from_numpy(permutation(count, seed=seed, stream=stream_of(purpose, epoch)))


def stream_of(purpose: Purpose, number: int = 0) -> int:
    """Return the stream of a purpose, another one for each number: an epoch, say.

    Examples
    --------
    >>> stream_of(Purpose.shuffling, 2) - stream_of(Purpose.validation)
    513
    """
    return _FIRST_STREAM + _PURPOSES * number + purpose


def draw_balanced(labels: Tensor, count: int, purpose: Purpose, *, seed: int) -> Tensor:
    """Return the positions of as many examples of each class, in drawn order.

    Parameters
    ----------
    labels : int64 Tensor, shape (n,)
        On any device; the result is on the CPU.
    count : int
        Most examples in all; each class gets `count` divided by the number of classes, rounded
        down.
    purpose, seed
        As for `draw_order`.

    Raises
    ------
    SelectionError
        If `count` is below the number of classes, or a class has too few examples.

    Examples
    --------
    >>> labels = torch.tensor([0, 0, 0, 1, 1, 1])
    >>> order = draw_balanced(labels, 5, Purpose.score_batch, seed=1)
    >>> sorted(labels[order].tolist())
    [0, 0, 1, 1]
    """
    order = draw_order(len(labels), purpose, seed=seed)
    drawn = labels.cpu()[order]
    classes = sorted(set(drawn.tolist()))
    each = count // len(classes)
    taken = torch.zeros(len(order), dtype=torch.bool)
    for label in classes:
        places = (drawn == label).nonzero().reshape(-1)
        if not 1 <= each <= len(places):
            found = f"{count} examples of {len(classes)} classes, {len(places)} of class {label}"
            raise SelectionError(f"a balanced score batch of {found} is impossible")
        taken[places[:each]] = True
    return order[taken]
