"""Rounding that compensates: values not yet rounded make good the errors of those that are."""

from collections.abc import Mapping, Sequence
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
    matrix : float64 array, shape (k, k)
        Second derivatives of a loss; symmetric, with no negative eigenvalue.
    """

    names: tuple[str, ...]
    matrix: Reals


def round_together(
    trained: Mapping[str, Trained], steps: Mapping[str, Step], curvature: Curvature
) -> dict[str, Integers]:
    """Return the integers of all tensors that a curvature is about, by name."""
    parts = [(trained[name], steps[name]) for name in curvature.names]
    places = [step.place(values.numbers, values.integers) for values, step in parts]
    sizes = [place.size for place in places]
    widths = np.repeat([step.width for _, step in parts], sizes)
    q = compensate(np.concatenate(places), curvature.matrix * widths[:, None] * widths, sizes)
    return dict(zip(curvature.names, np.split(q, np.cumsum(sizes)[:-1]), strict=True))


def compensate(
    place: Reals, curvature: Reals, sizes: Sequence[int], rate: float = RATE
) -> Integers:
    """Return integers near numbers whose errors make good one another, and are cheap to code.

    Parameters
    ----------
    place : float64 array, shape (n,)
        Where the values lie on the grid, in steps.
    curvature : float64 array, shape (n, n)
        What errors cost together: half of (q - place) @ curvature @ (q - place).
    sizes : sequence of int
        How many values each tensor has; their sum is n. Each tensor is coded for itself.
    rate : float
        See `RATE`; 0 looks at errors only, which then never cost more than those of rounding to
        nearest.

    Returns
    -------
    int64 array, shape (n,)
        The better of what two starts lead to: rounding to nearest, and rounding one by one, those
        first that matter most, where each is rounded from the place that makes good the errors so
        far. Then single values move by a step, or to zero, as long as that is better.

    Notes
    -----
    The curvature is damped by `DAMPING`. The order n**3 of the factorisation and n**2 numbers are
    needed: for n up to some thousand.

    References
    ----------
    Frantar et al., "GPTQ", arXiv:2210.17323, for the rounding one by one.

    Examples
    --------
    >>> compensate(np.array([0.4, 0.4]), np.array([[1.0, 1.0], [1.0, 1.0]]), [2], 0).tolist()
    [1, 0]
    """
    if not place.size:
        return np.zeros(0, np.int64)
    damped = curvature + DAMPING * np.diag(np.diag(curvature))
    order = np.argsort(-np.diag(damped), kind="stable")
    root = _root(damped[np.ix_(order, order)])
    price = 0.5 * rate * float((np.diag(root) ** 2).mean())
    tensor = np.repeat(np.arange(len(sizes)), sizes)
    nearest = round_to_grid(place, rate=0)
    tables = _tables(nearest, place, tensor)
    one_by_one = np.empty_like(nearest)
    one_by_one[order] = _round_in_order(
        place[order], root, price, [tables[i] for i in tensor[order]]
    )
    found = [nearest]
    for start in (nearest, one_by_one):
        found.append(_descend(start, place, damped, price, tensor))
    costs = [_cost(q, place, damped, price, tensor) for q in found]
    return found[int(np.argmin(costs))]


def _root(matrix: Reals) -> Reals:
    """Return the upper triangular R with matrix = R @ R.T."""
    room = 1e-9 * max(float(np.trace(matrix)) / len(matrix), 1e-30)
    low = np.linalg.cholesky(matrix[::-1, ::-1] + room * np.eye(len(matrix)))
    root: Reals = low[::-1, ::-1].astype(np.float64)
    return root


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
