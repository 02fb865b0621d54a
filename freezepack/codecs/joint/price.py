"""What each symbol would cost at each position, for training with the rate in the loss."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.joint import kernel, reference
from freezepack.codecs.joint.codec import check, depths_of, flatten
from freezepack.codecs.joint.field import Field
from freezepack.codecs.joint.matrix import Matrix
from freezepack.codecs.joint.model import Gauge
from freezepack.codecs.joint.priors import PRIORS
from freezepack.codecs.joint.reference import Levels
from freezepack.codecs.joint.shapes import Depths, JointSpec, Layout, lay_out

Prices = NDArray[np.float32]

_WAKE = 15.0
"""About what a row or channel costs that holds one position."""
_LAST = 0.1
"""Of a magnitude of 2: that it is not more."""
_DEAD = 10.0


def price_joint(
    levels: Sequence[NDArray[np.integer]], specs: Sequence[JointSpec]
) -> tuple[float, list[Prices]]:
    """Return what tensors cost, and what each symbol would cost at each position.

    Parameters
    ----------
    levels, specs
        As for `encode_joint`.

    Returns
    -------
    bits : float
        Ideal length of the stream, without its last bytes.
    prices : list of float32 arrays, shape (5, n)
        For each tensor the bits of -2, -1, 0, 1 and 2 at every position.

    Notes
    -----
    Prices are those of the statistics after the whole tensor was coded, which know the position
    itself; what a symbol does to the prices of others is left out. In a row or channel that holds
    nothing, anything but 0 costs what waking the row or channel does, about 15 bits each.

    Examples
    --------
    >>> bits, (prices,) = price_joint([np.array([[0, 0, 1], [0, 0, 1]])], [JointSpec((2, 3))])
    >>> prices.shape, bool(prices[3, 2] < prices[3, 0])
    ((5, 6), True)
    """
    check(specs)
    flat = [
        flatten(part, spec, i) for i, (part, spec) in enumerate(zip(levels, specs, strict=True))
    ]
    price = kernel.price if kernel.pricer() else price_by_reference
    return price(lay_out([spec.shape for spec in specs]), flat, depths_of(specs))


def measure_joint(levels: Sequence[NDArray[np.integer]], specs: Sequence[JointSpec]) -> float:
    """Return the bits that tensors cost: the ideal length of the stream, without its last bytes.

    Examples
    --------
    >>> measure_joint([np.zeros((50, 20))], [JointSpec((50, 20))]) < 12
    True
    """
    check(specs)
    flat = [
        flatten(part, spec, i) for i, (part, spec) in enumerate(zip(levels, specs, strict=True))
    ]
    layouts, bases = lay_out([spec.shape for spec in specs]), depths_of(specs)
    if kernel.pricer():
        return kernel.measure(layouts, flat, bases)
    gauge = Gauge()
    reference.Run(gauge, layouts, [part.tolist() for part in flat], bases).run()
    return gauge.cost / 256


def price_by_reference(
    layouts: Sequence[Layout], levels: Sequence[Levels], bases: Sequence[Depths | None]
) -> tuple[float, list[Prices]]:
    """Return bits and prices without the kernel; slow."""
    gauge = Gauge()
    parts = [part.tolist() for part in levels]
    run = reference.Run(gauge, layouts, parts, bases)
    run.run()
    prices: list[Prices] = []
    for i, layout in enumerate(layouts):
        if layout.matrix:
            rows = _price_matrix(run.matrices[i], parts[i], run.depths[i])
        else:
            rows = _price_vector(parts[i], run.counts_of(layout.other))
        prices.append(np.array(rows, np.float32).reshape(-1, 5).T)
    return gauge.cost / 256, prices


def _price_matrix(
    matrix: Matrix, levels: list[int], base: Sequence[int] | None
) -> list[list[float]]:
    grid = matrix.grid
    field = matrix.field or Field(grid, PRIORS[grid.form], levels, base, [])
    rows, channels = set(matrix.rows), set(matrix.channels)
    asleep = 0.0 if not rows else _WAKE
    found = []
    for at in range(len(levels)):
        row, column = divmod(at, grid.columns)
        wake = (row not in rows) * _WAKE + (column // grid.plane not in channels) * asleep
        found.append(_price_position(matrix, field, row, column, wake))
    return found


def _price_position(
    matrix: Matrix, field: Field, row: int, column: int, wake: float
) -> list[float]:
    decider, dead = matrix.decider, wake > 0
    around = field.look_around(row, column, blind=dead)
    field.add_trained(decider, row, column, around)
    trained = decider.peek(field.calibration)
    positive = 0.5
    if not dead:
        field.add_sign(decider, row, column, around)
        positive = decider.peek()
    prices = [0.0, 0.0, 0.0 if dead else -math.log2(1 - trained), 0.0, 0.0]
    for side in (0, 1):
        field.magnitudes.add_step(decider, 0)
        field.add_magnitude(decider, row, around, side, 0)
        more = decider.peek()
        bits = wake - math.log2(trained * (positive if side else 1 - positive))
        prices[3 if side else 1] = bits - math.log2(1 - more)
        prices[4 if side else 0] = bits - math.log2(more) + _LAST
    return prices


def _price_vector(levels: list[int], rows: Sequence[int] | None) -> list[list[float]]:
    """Return what the shares of the vector say, the same for all its places."""
    trained = sum(level != 0 for level in levels)
    large = sum(abs(level) > 1 for level in levels)
    share = (trained + 0.5) / (len(levels) + 1)
    more = (large + 0.5) / (trained + 1)
    one, two = -math.log2(1 - more), -math.log2(more)
    bits = 1 - math.log2(share)
    alive = [bits + two, bits + one, -math.log2(1 - share), bits + one, bits + two]
    dead = [_DEAD + two, _DEAD + one, 0.0, _DEAD + one, _DEAD + two]
    return [alive if rows is None or rows[i] else dead for i in range(len(levels))]
