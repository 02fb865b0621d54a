"""The last bytes: integers brought nearer to 0 where that costs the least loss per bit saved."""

from collections.abc import Callable, Iterable
from itertools import islice

import torch
from torch import Tensor

from freezepack.errors import FreezepackError
from freezepack.rate.optimizer import RateOptimizer

_BATCHES = 100
_AT_ONCE = 0.25
"""Share of what is to be saved that is taken off before gradients are measured anew."""
_PARTS = 50
"""At most one in so many integers is changed at once."""
_ROUNDS = 100


def trim(
    optimizer: RateOptimizer,
    target: int,
    size: Callable[[], int],
    losses: Callable[[], Iterable[Tensor]],
    *,
    batch_size: int,
) -> int:
    """Take integers toward 0 until the file is small enough.

    Parameters
    ----------
    optimizer : RateOptimizer
        Its Parameters' gradients are overwritten, its integers changed.
    target : int
        Bytes.
    size : callable
        Returns the bytes of a file written now.
    losses : callable
        Returns mean losses of training batches, to be taken one after the other.
    batch_size : int
        Examples of each batch.

    Returns
    -------
    int
        Number of changes; 0 if the file was small enough.

    Raises
    ------
    FreezepackError
        If the file is too large with all integers 0, or after many rounds.

    Notes
    -----
    A change of w by d costs about g * d + h * d**2 / 2 of the loss: g is the mean gradient, and
    h, the mean squared gradient of an example, is estimated from how much batches differ.
    """
    changes = 0
    for _ in range(_ROUNDS):
        excess = size() - target
        if excess <= 0:
            return changes
        costs = _costs(optimizer, losses(), batch_size)
        savings = optimizer.savings()
        order = torch.argsort(costs / savings, stable=True)
        order = order[optimizer.levels[order] != 0]
        if not len(order):
            break
        saved = torch.cumsum(savings[order], 0)
        wanted = 8 * excess * _AT_ONCE
        count = min(int((saved < wanted).sum()), len(order) // _PARTS) + 1
        levels = optimizer.levels.clone()
        levels[order[:count]] -= torch.sign(levels[order[:count]])
        optimizer.set_levels(levels)
        changes += min(count, len(order))
    if size() > target:
        problem = f"the file has {size()} bytes, expected at most {target}"
        raise FreezepackError(f"{problem}: begin with a higher rate weight, or train longer")
    return changes


def _costs(optimizer: RateOptimizer, losses: Iterable[Tensor], batch_size: int) -> Tensor:
    """Return what a step toward 0 costs of the loss, for each integer."""
    total = squares = torch.zeros_like(optimizer.levels)
    count = 0
    for loss in islice(losses, _BATCHES):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        gradient = optimizer.gradient()
        total, squares, count = total + gradient, squares + gradient.square(), count + 1
    optimizer.zero_grad(set_to_none=True)
    mean = total / count
    spread = (squares / count - mean.square()).clamp_(min=0)
    width = optimizer.widths()
    move = -torch.sign(optimizer.levels) * width
    return mean * move + 0.5 * spread * batch_size * move.square()
