"""What each weight costs to store, in bits: prices for training, from the present integers.

A weight that is not 0 is cheap where its row, column, channel and kernel hold many others, and
dear where it would be the only one. A logistic model of these densities is fitted to the
integers, each position judged by all others, which is close to what the adaptive coder pays and
counts what a position means for those after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, log2

import numpy as np
from numpy.typing import NDArray

from freezepack.rate.layout import View

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]

_RIDGE = 30.0
"""How many positions' worth of trust the first guess of the model has."""
_LARGEST = 9.0
"""Bound of a log odds: 13 bits."""
_SIGN = 0.9
"""Bits of a sign; neighbours tell a little of it."""
_LEAST = 0.3
"""No weight is cheaper to have than to do without, whatever the model says."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What magnitudes cost more than the next smaller one.

    Attributes
    ----------
    first : float64 array, shape (n,)
        Bits of 1 rather than 0 at each position, sign included.
    more : float
        Bits of each further unit of magnitude.
    weights : float64 array
        Of the fitted model: where to begin the next fit.
    """

    first: Reals
    more: float
    weights: Reals


def price_weights(levels: Integers, view: View, weights: Reals | None = None) -> Prices:
    """Price the positions of a weight.

    Parameters
    ----------
    levels : int64 array, shape (n,)
        The present integers in C order.
    view : View
        Rows, channels and kernel, n positions in all.
    weights : float64 array, optional
        Those of the last fit: two more steps of Newton's method then go on from there.

    Examples
    --------
    >>> levels = np.zeros((4, 4), np.int64)
    >>> levels[0] = 1  # a full row among empty ones
    >>> first = price_weights(levels.reshape(-1), (4, 4, 1, 1)).first.reshape(4, 4)
    >>> bool(first[0].max() < first[1:].min())
    True
    """
    magnitudes = np.abs(levels)
    present = (magnitudes > 0).astype(np.float64).reshape(view)
    columns = [*_densities(present), np.ones(present.shape)]
    design = np.stack([column.reshape(-1) for column in columns], axis=1)
    weights = _fit(design, present.reshape(-1), weights)
    odds = np.clip(design @ weights, -_LARGEST, _LARGEST)
    stop, on = _magnitude_bits(magnitudes)
    first = np.maximum(_SIGN + stop - odds / log(2), _LEAST)
    return Prices(first, max(on, _LEAST), weights)


def price_vector(levels: Integers) -> Prices:
    """Price the elements of a bias or a normalisation: a little more for each unit.

    Examples
    --------
    >>> price_vector(np.array([0, 0, 3, -1])).more < price_vector(np.zeros(4, np.int64)).more
    True
    """
    mean = float(np.abs(levels).mean()) + 0.3 if levels.size else 1.0
    return Prices(np.full(levels.size, 2.0), log2(1 + 1 / mean), np.zeros(0))


def _magnitude_bits(magnitudes: Integers) -> tuple[float, float]:
    """Return the bits of "no more than 1" and what a unit above 1 adds to them."""
    ones, above = int((magnitudes > 0).sum()), int((magnitudes > 1).sum())
    chance = (above + 1) / (ones + 3)
    stop = -log2(1 - chance)
    return stop, -log2(chance) - stop


def _densities(present: Reals) -> Iterator[Reals]:
    """Yield log odds of being present: overall, then how row, column, ... differ from that.

    The position itself is left out of every count.
    """
    channels, high, wide = present.shape[1:]
    overall = (present.sum() - present + 0.5) / present.size
    middle = _logit(overall)
    yield middle
    groups: list[tuple[tuple[int, ...], float]] = [((1, 2, 3), 2.0), ((0,), 1.0)]
    if high * wide > 1:
        if channels > 1:
            groups += [((2, 3), 2.0), ((0, 2, 3), 2.0)]
        groups.append(((0, 1), 2.0))
    for axes, trust in groups:
        others = int(np.prod([present.shape[axis] for axis in axes])) - 1
        if others:
            found = present.sum(axes, keepdims=True) - present
            yield _logit((found + trust * overall) / (others + trust)) - middle
    if high * wide > 1:
        found, others_near = _neighbours(present), _neighbours(np.ones_like(present))
        yield _logit((found + overall) / (others_near + 1)) - middle


def _neighbours(values: Reals) -> Reals:
    """Return the sum over the up to eight neighbours in the same kernel."""
    high, wide = values.shape[2:]
    padded = np.pad(values, ((0, 0), (0, 0), (1, 1), (1, 1)))
    near = -values
    for down in range(3):
        for right in range(3):
            near = near + padded[:, :, down : down + high, right : right + wide]
    return near


def _fit(design: Reals, present: Reals, weights: Reals | None) -> Reals:
    """Fit a logistic model, drawn towards a first guess; two steps of Newton's method."""
    count = design.shape[1]
    guess = np.array([1.0, *[0.5] * (count - 2), 0.0])
    found: Reals = guess if weights is None or weights.size != count else weights
    for _ in range(2):
        chances = 1 / (1 + np.exp(-np.clip(design @ found, -_LARGEST, _LARGEST)))
        slope = design.T @ (present - chances) - _RIDGE * (found - guess)
        bend = (design * (chances * (1 - chances))[:, None]).T @ design
        found = found + np.linalg.solve(bend + _RIDGE * np.eye(count), slope)
    return found


def _logit(chances: Reals) -> Reals:
    odds: Reals = np.log(chances / (1 - chances))
    return odds
