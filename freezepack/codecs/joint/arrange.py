"""Orders of hidden units in which a network takes fewer bytes.

The units of a hidden layer may stand in any order if the weights that read them follow: the network
computes the same. Sorted by how much is trained, with those that hold nothing at the end, they cost
about 1 % less, and after a search over exchanges almost 2 % less.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.joint.price import measure_joint
from freezepack.codecs.joint.shapes import JointSpec, lay_out

Element = TypeVar("Element", bound=np.generic)
Order = NDArray[np.int64]
"""For each new place, the unit that stood there before is at this number."""


class Units(NamedTuple):
    """Units that may change places together.

    Attributes
    ----------
    rows : tuple of int
        Tensors whose first dimension they are: a matrix first, then its biases and the like.
    channels : tuple of int
        Matrices that read them: the second dimension is one, or several times, their number.
    """

    rows: tuple[int, ...]
    channels: tuple[int, ...]


def find_units(specs: Sequence[JointSpec]) -> list[Units]:
    """Return the hidden units of a chain of layers, named in the order in which they run.

    Each matrix is taken to be read by those that `lay_out` says it feeds, and by nothing else. For
    a network with other paths (shortcuts, shared weights) this is wrong, and the caller has to say
    what belongs together.

    Examples
    --------
    >>> find_units([JointSpec((8, 3)), JointSpec((8,)), JointSpec((4, 16)), JointSpec((2, 4))])
    [Units(rows=(0, 1), channels=(2,)), Units(rows=(2,), channels=(3,))]
    """
    layouts = lay_out([spec.shape for spec in specs])
    found = []
    for i in range(len(layouts)):
        of_it = [j for j, layout in enumerate(layouts) if layout.other == i]
        readers = tuple(j for j in of_it if layouts[j].matrix)
        if readers:
            found.append(Units((i, *(j for j in of_it if not layouts[j].matrix)), readers))
    return found


def arrange(
    levels: Sequence[NDArray[np.integer]],
    specs: Sequence[JointSpec],
    units: Sequence[Units],
    *,
    tries: int = 1000,
    seed: int = 0,
) -> list[Order]:
    """Return an order for each of the `units` in which the integers take fewer bytes.

    Parameters
    ----------
    levels, specs
        As for `encode_joint`; no tensor of `units` may have a base, which would not move along.
    units : sequence of Units
        What may change places. No tensor's rows, and no tensor's channels, are in two of them.
    tries : int
        Changes to try after sorting; each costs an encoding of what is not 0.
    seed : int
        The same seed gives the same order.

    Raises
    ------
    ValueError
        If a tensor that would move has a base.

    Examples
    --------
    >>> specs = [JointSpec((3, 2)), JointSpec((1, 3))]
    >>> levels = [np.array([[0, 0], [1, 0], [1, -1]]), np.array([[0, 2, 1]])]
    >>> orders = arrange(levels, specs, find_units(specs), tries=0)
    >>> [part.tolist() for part in reorder(levels, find_units(specs), orders)]
    [[[1, -1], [1, 0], [0, 0]], [[1, 2, 0]]]
    """
    for i in {i for unit in units for group in unit for i in group}:
        if specs[i].base is not None:
            raise ValueError(f"tensor {i} has a base, whose elements cannot change places")
    shaped = [
        np.asarray(part).reshape(spec.shape) for part, spec in zip(levels, specs, strict=True)
    ]
    orders = [_sort(shaped[unit.rows[0]]) for unit in units]
    alive = [_count_alive(unit, shaped) for unit in units]
    small = _cut(reorder(shaped, units, orders), units, alive)
    generator = random.Random(seed)
    movable = [u for u, count in enumerate(alive) if count > 1]
    best = _measure(small)
    for _ in range(tries if movable else 0):
        u = generator.choice(movable)
        order = _change(alive[u], generator)
        trial = reorder(small, [units[u]], [order])
        if (bits := _measure(trial)) < best:
            best, small = bits, trial
            orders[u][: alive[u]] = orders[u][order]
    return orders


def reorder(
    arrays: Sequence[NDArray[Element]], units: Sequence[Units], orders: Sequence[Order]
) -> list[NDArray[Element]]:
    """Return arrays, integers or weights, with units in other orders."""
    found = list(arrays)
    for unit, order in zip(units, orders, strict=True):
        for i in unit.rows:
            found[i] = found[i][order]
        for i in unit.channels:
            found[i] = _take_channels(found[i], order, order.size)
    return found


def _take_channels(array: NDArray[Element], order: Order, count: int) -> NDArray[Element]:
    """Return the columns of `order`, out of `count` groups of columns."""
    groups = array.reshape(array.shape[0], count, -1)[:, order]
    return groups.reshape(array.shape[0], -1, *array.shape[2:])


def _sort(matrix: NDArray[np.generic]) -> Order:
    """Return rows by how much is trained, the most first; equal ones stay in order."""
    trained = np.count_nonzero(matrix.reshape(matrix.shape[0], -1), axis=1)
    return np.argsort(-trained, kind="stable").astype(np.int64)


def _count_alive(unit: Units, arrays: Sequence[NDArray[np.generic]]) -> int:
    matrix = arrays[unit.rows[0]]
    return int(np.count_nonzero(matrix.reshape(matrix.shape[0], -1).any(axis=1)))


def _cut(
    arrays: Sequence[NDArray[Element]], units: Sequence[Units], alive: Sequence[int]
) -> list[NDArray[Element]]:
    """Leave out dead units, which stand last: the search does not change what they cost."""
    cut = list(arrays)
    for unit, count in zip(units, alive, strict=True):
        size = arrays[unit.rows[0]].shape[0]
        for i in unit.rows:
            cut[i] = cut[i][:count]
        for i in unit.channels:
            cut[i] = _take_channels(cut[i], np.arange(count), size)
    return cut


def _change(count: int, generator: random.Random) -> Order:
    """Return the order after two units were exchanged, or one was put elsewhere."""
    order = list(range(count))
    a, b = generator.sample(order, 2)
    if generator.random() < 0.5:
        order[a], order[b] = b, a
    else:
        order.insert(b, order.pop(a))
    return np.array(order, np.int64)


def _measure(arrays: Sequence[NDArray[np.generic]]) -> float:
    integers = [array.astype(np.int32) for array in arrays]
    return measure_joint(integers, [JointSpec(array.shape) for array in integers])
