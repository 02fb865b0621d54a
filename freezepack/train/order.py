"""Orders drawn by the generator: validation split, shuffling, score batch.

The streams from 2**63 + 2**62 on belong to such purposes, so no order shares words with a tensor
or its mask, and all orders are the same on every machine.
"""

from enum import IntEnum

import torch
from torch import Tensor

from freezepack.random import permutation

_FIRST_STREAM = 2**63 + 2**62
_PURPOSES = 256


class Purpose(IntEnum):
    """What an order is for; each has its own streams."""

    validation = 0
    shuffling = 1
    score_batch = 2
    augmentation = 3


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
    stream = _FIRST_STREAM + _PURPOSES * epoch + purpose
    return torch.from_numpy(permutation(count, seed=seed, stream=stream))
