"""Exact selection of the highest scores: the only place that picks."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import SelectionError
from freezepack.selection.budget import layer_counts
from freezepack.selection.rate import trained_count
from freezepack.types import BoolArray

Masks = dict[str, BoolArray]
"""Name to mask of the weight's shape; True is trained."""


def keep_top(scores: NDArray[np.float64], count: int) -> BoolArray:
    """Mark the `count` highest scores.

    Parameters
    ----------
    scores : float64 array, shape (n,)
        Higher means more important. All tensors, flattened in C order, in file order.
    count : int
        Number of entries to mark, 1 to n.

    Returns
    -------
    bool array, shape (n,)
        True where the weight is trained. Exactly `count` entries are True.

    Raises
    ------
    SelectionError
        If a score is NaN, or `count` is out of range.

    Notes
    -----
    Equal scores are taken in index order, so the mask depends neither on the sorting algorithm
    nor on the device that computed the scores. Linear in n.

    Examples
    --------
    >>> keep_top(np.array([1.0, 3.0, 3.0, 3.0]), 2).tolist()
    [False, True, True, False]
    """
    if np.isnan(scores).any():
        raise SelectionError(f"scores[{int(np.isnan(scores).argmax())}] is NaN, expected a number")
    if not 1 <= count <= scores.size:
        raise SelectionError(f"count is {count}, expected 1 to {scores.size}")
    limit = np.partition(scores, scores.size - count)[scores.size - count]
    mask: BoolArray = scores > limit
    ties = np.flatnonzero(scores == limit)
    mask[ties[: count - np.count_nonzero(mask)]] = True
    return mask


def select(
    scores: Mapping[str, NDArray[np.float64]], rate: str | float, budget: str = "global"
) -> Masks:
    """Mark the highest scores of all tensors together, or of each tensor.

    Parameters
    ----------
    scores : mapping of name to float64 array
        In file order. Not changed.
    rate : str or float
        Freezing rate over all entries, see `trained_count`.
    budget : {"global", "uniform", "erk"}
        One pool for all tensors, or a count for each, see `layer_counts`.

    Returns
    -------
    dict of name to bool array
        True is trained.

    Raises
    ------
    SelectionError
        If a score is NaN (the message names tensor and position) or the rate is impossible.

    Examples
    --------
    >>> masks = select({"a": np.array([[1.0, 4.0]]), "b": np.array([3.0, 2.0])}, "0.5")
    >>> {name: mask.tolist() for name, mask in masks.items()}
    {'a': [[False, True]], 'b': [True, False]}
    """
    count = trained_count(sum(part.size for part in scores.values()), rate)
    return select_count(scores, count, budget)


def select_count(
    scores: Mapping[str, NDArray[np.float64]], count: int, budget: str = "global"
) -> Masks:
    """Mark the `count` highest scores; everything else as for `select`.

    Examples
    --------
    >>> scores = {"a": np.array([1.0, 4.0]), "b": np.array([3.0, 2.0])}
    >>> masks = select_count(scores, 2, "uniform")
    >>> {name: mask.tolist() for name, mask in masks.items()}
    {'a': [False, True], 'b': [True, False]}
    """
    for name, part in scores.items():
        if np.isnan(part).any():
            position = int(np.isnan(part).reshape(-1).argmax())
            raise SelectionError(f"score {position} of {name!r} is NaN, expected a number")
    if budget != "global":
        counts = layer_counts({name: part.shape for name, part in scores.items()}, count, budget)
        return {name: _keep(part, counts[name]) for name, part in scores.items()}
    mask = keep_top(np.concatenate([part.reshape(-1) for part in scores.values()]), count)
    ends = np.cumsum([part.size for part in scores.values()])
    parts = np.split(mask, ends[:-1])
    return {name: p.reshape(scores[name].shape) for name, p in zip(scores, parts, strict=True)}


def _keep(scores: NDArray[np.float64], count: int) -> BoolArray:
    if count == 0:
        return np.zeros(scores.shape, np.bool_)
    return keep_top(scores.reshape(-1), count).reshape(scores.shape)
