"""Rounding that compensates: values not yet rounded make good the errors of those that are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from freezepack.codecs.grid.step import Step
from freezepack.pack.lossy_round import Integers, Reals, coding_bits, round_to_grid
from freezepack.pack.lossy_trained import Trained

DAMPING = 0.3
"""Share of its diagonal that is added to a curvature: it holds near the trained values only."""
RATE = 0.1
"""As for `round_to_grid`, for errors that no later value can make good."""
_SWEEPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Curvature:
    """What errors of some tensors' trained values cost together: half of error @ matrix @ error.

    Attributes
    ----------
    names : tuple of str
        Tensors; their trained values follow each other in the matrix.
    sizes : tuple of int
        How many values each has.
    matrix : float64 array, shape (k, k)
        Second derivatives of a loss, damped.
    order : int64 array
        All values, those first that matter most in their tensors.
    root : float64 array, shape (k, k)
        The upper triangular R of which R @ R.T is the matrix in that order.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    matrix: Reals
    order: Integers
    root: Reals


def make_curvature(sizes: Mapping[str, int], matrix: Reals) -> Curvature:
    """Damp a matrix by `DAMPING` and factor it, once for all grids.

    Parameters
    ----------
    sizes : mapping of str to int
        Names of tensors, in order, and how many values each has.
    matrix : float64 array, shape (k, k)
        Symmetric, with no negative eigenvalue. Not changed.
    """
    diagonal = np.diag(matrix).copy()
    parts = np.split(diagonal, np.cumsum(list(sizes.values()))[:-1])
    shares = [part / max(float(part.mean()), 1e-30) for part in parts]
    order: Integers = np.argsort(-np.concatenate(shares), kind="stable")
    damped = matrix + np.diag(DAMPING * diagonal)
    # A value that never matters has no curvature at all.
    room = 1e-9 * max(float(diagonal.mean()), 1e-30) * np.eye(len(matrix))
    low = np.linalg.cholesky((damped[np.ix_(order, order)] + room)[::-1, ::-1])
    root: Reals = low[::-1, ::-1].astype(np.float64)
    return Curvature(tuple(sizes), tuple(sizes.values()), damped, order, root)


def round_together(
    trained: Mapping[str, Trained], steps: Mapping[str, Step], curvature: Curvature
) -> dict[str, Integers]:
    """Return the integers of all tensors that a curvature is about, by name."""
    parts = [(trained[name], steps[name]) for name in curvature.names]
    places = [step.place(values.numbers, values.integers) for values, step in parts]
    widths = np.repeat([step.width for _, step in parts], curvature.sizes)
    q = compensate(np.concatenate(places), widths, curvature)
    return dict(zip(curvature.names, np.split(q, np.cumsum(curvature.sizes)[:-1]), strict=True))


def compensate(place: Reals, widths: Reals, curvature: Curvature, rate: float = RATE) -> Integers:
    """Return integers near numbers whose errors make good one another, and are cheap to code.

    Parameters
    ----------
    place : float64 array, shape (k,)
        Where the values lie on the grid, in steps.
    widths : float64 array, shape (k,)
        What a step of each value is.
    curvature : Curvature
        What errors cost together. Each of its tensors is coded for itself.
    rate : float
        See `RATE`; 0 looks at errors only, which then never cost more than those of rounding to
        nearest.

    Returns
    -------
    int64 array, shape (k,)
        The best of rounding to nearest, and of what two starts lead to: rounding to nearest, and
        rounding one by one, those first that matter most, where each is rounded from the place
        that makes good the errors so far. From there single values move by a step, to zero, or to
        where they are best, as long as that is better.

    References
    ----------
    Frantar et al., "GPTQ", arXiv:2210.17323, for the rounding one by one.

    Examples
    --------
    >>> curvature = make_curvature({"w": 2}, np.array([[1.0, 1.0], [1.0, 1.0]]))
    >>> compensate(np.array([0.4, 0.4]), np.array([1.0, 1.0]), curvature, 0).tolist()
    [1, 0]
    """
    order, matrix = curvature.order, curvature.matrix * widths[:, None] * widths
    root = curvature.root * widths[order, None]
    price = 0.5 * rate * float((np.diag(root) ** 2).mean())
    tensor = np.repeat(np.arange(len(curvature.sizes)), curvature.sizes)
    nearest = round_to_grid(place, rate=0)
    tables = _tables(nearest, place, tensor)
    one_by_one = np.empty_like(nearest)
    one_by_one[order] = _round_in_order(
        place[order], root, price, [tables[i] for i in tensor[order]]
    )
    found = [nearest, *(_descend(q, place, matrix, price, tensor) for q in (nearest, one_by_one))]
    costs = [_cost(q, place, matrix, price, tensor) for q in found]
    return found[int(np.argmin(costs))]


def _tables(q: Integers, place: Reals, tensor: Integers) -> list[Reals]:
    """Return for each tensor what magnitudes cost after these ones, in bits."""
    reach = np.maximum(np.abs(place), np.abs(q))
    return [
        coding_bits(np.abs(q[tensor == i]), int(reach[tensor == i].max()) + 8)
        for i in range(int(tensor[-1]) + 1)
    ]


def _round_in_order(place: Reals, root: Reals, price: float, tables: list[Reals]) -> Integers:
    """Round one by one. With e = q - place the cost is half of the squares of e @ root."""
    q = np.zeros(place.size, np.int64)
    carried = np.zeros(place.size)
    for i, table in enumerate(tables):
        at = place[i] - carried[i] / root[i, i]
        low = int(np.floor(at))
        choices = [c for c in (low, low + 1, 0) if abs(c) < table.size]
        choices = choices or [int(np.clip(low, 1 - table.size, table.size - 1))]
        costs = [0.5 * (root[i, i] * (c - at)) ** 2 + price * table[abs(c)] for c in choices]
        q[i] = choices[costs.index(min(costs))]
        carried[i + 1 :] += (q[i] - place[i]) * root[i, i + 1 :]
    return q


def _descend(q: Integers, place: Reals, matrix: Reals, price: float, tensor: Integers) -> Integers:
    """Move single values to where the cost is lower."""
    q = q.copy()
    slope = matrix @ (q - place)
    for _ in range(_SWEEPS):
        moved = False
        tables = _tables(q, place, tensor)
        for i, which in enumerate(tensor):
            table, own, bend = tables[which], int(q[i]), matrix[i, i]
            best, target = -1e-9 * bend, own
            ahead = own - int(np.rint(slope[i] / bend)) if bend > 0 else own
            for choice in {own - 1, own + 1, ahead, 0}:
                move = choice - own
                if move and abs(choice) < table.size:
                    change = slope[i] * move + 0.5 * bend * move * move
                    change += price * (table[abs(choice)] - table[abs(own)])
                    if change < best:
                        best, target = change, choice
            if target != own:
                slope += matrix[i] * (target - own)
                q[i], moved = target, True
        if not moved:
            break
    return q


def _cost(q: Integers, place: Reals, matrix: Reals, price: float, tensor: Integers) -> float:
    error = q - place
    tables = _tables(q, place, tensor)
    bits = sum(float(table[np.abs(q[tensor == i])].sum()) for i, table in enumerate(tables))
    return float(0.5 * error @ matrix @ error) + price * bits
