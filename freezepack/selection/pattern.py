"""Partially frozen sources: which weights a seed removes or locks before a supermask is sought."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import SelectionError, UnknownNameError
from freezepack.format.layout import layout_of
from freezepack.random.seeded import seeded_order
from freezepack.scores.random import MASK_STREAMS
from freezepack.selection.budget import BUDGETS, Shapes, layer_counts

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a seed decides of one tensor; positions in C order, increasing.

    Attributes
    ----------
    pruned, locked, free : int64 arrays
        Weights that are out for good, in for good, and open to the search. Each position of the
        tensor is in one of them.
    """

    pruned: Positions
    locked: Positions
    free: Positions


def draw_patterns(
    shapes: Shapes,
    streams: Mapping[str, int],
    seed: int,
    *,
    prune: str | float = 0,
    lock: str | float = 0,
    distribution: str = "erk",
) -> dict[str, Pattern]:
    """Draw which weights of a random network are pruned and locked before any search.

    Positions come in the seeded order of each unit of a tensor, so that the index codec `free`
    stores two counts for them, and the rest of the mask costs what the free positions cost.

    Parameters
    ----------
    shapes : mapping of name to shape
        The eligible weights, in file order.
    streams : mapping of name to int
        Stream of each tensor.
    seed : int
        Key of the generator.
    prune, lock : str or float
        Shares of all weights to prune and to lock; together below 1.
    distribution : {"erk", "equal", "uniform"}
        How the weights that are not frozen, and those that are not pruned, divide over layers.

    Raises
    ------
    SelectionError
        If the shares are impossible.
    UnknownNameError
        If there is no such distribution.

    Notes
    -----
    With n weights, round(n * (1 - prune - lock)) are free and round(n * (1 - prune)) not pruned;
    each number is divided over the layers by itself, and a layer locks the difference of its two.
    Where the numbers of free ones would exceed it, nothing is locked.

    References
    ----------
    Otsuka et al., "Partially Frozen Random Networks Contain Compact Strong Lottery Tickets",
    arXiv:2402.14029, and its published code.

    Examples
    --------
    >>> patterns = draw_patterns({"w": (4, 5)}, {"w": 0}, 1, prune=0.25, lock=0.25)
    >>> [len(part) for part in (patterns["w"].pruned, patterns["w"].locked, patterns["w"].free)]
    [5, 5, 10]
    """
    size = sum(map(prod, shapes.values()))
    shares = _fraction(prune), _fraction(lock)
    if min(shares) < 0 or sum(shares) >= 1:
        problem = f"shares to prune and to lock are {prune} and {lock}"
        raise SelectionError(f"{problem}, expected 0 or more, together below 1")
    if distribution not in BUDGETS[1:]:
        raise UnknownNameError("budget of layers", distribution, BUDGETS[1:])
    free = layer_counts(shapes, max(1, round(size * (1 - sum(shares)))), distribution)
    kept = layer_counts(shapes, max(1, round(size * (1 - shares[0]))), distribution)
    return {
        name: _draw(
            shape,
            streams[name],
            seed,
            pruned=prod(shape) - max(kept[name], free[name]),
            locked=max(0, kept[name] - free[name]),
        )
        for name, shape in shapes.items()
    }


def _fraction(share: str | float) -> Fraction:
    try:
        return Fraction(str(share))
    except ValueError:
        raise SelectionError(f"a share is {share!r}, expected a decimal number") from None


def _draw(shape: tuple[int, ...], stream: int, seed: int, *, pruned: int, locked: int) -> Pattern:
    """Draw the pattern of one tensor, unit by unit, each with its share of the counts."""
    layout = layout_of(shape)
    sizes = {str(unit): (layout.unit_size(unit),) for unit in range(layout.units)}
    parts: tuple[list[Positions], ...] = ([], [], [])
    out = layer_counts(sizes, pruned, "uniform") if pruned else dict.fromkeys(sizes, 0)
    held = layer_counts(sizes, pruned + locked, "uniform") if pruned + locked else out
    for unit in range(layout.units):
        start, size = layout.start(unit), layout.unit_size(unit)
        order = start + seeded_order(size, seed, MASK_STREAMS + stream, start)
        cuts = [out[str(unit)], held[str(unit)]]
        for part, chosen in zip(parts, np.split(order, cuts), strict=True):
            part.append(np.sort(chosen))
    return Pattern(*(np.concatenate(part) for part in parts))
