"""Trained positions in a graph, and the nodes that decode them.

Two forms. *Gaps*: the distances from one position to the next as int64, which protobuf stores as
varints where they stand in `int64_data`; one CumSum decodes them. *Bitmap*: one bit for each
element, for masks above some 10 %: bits by shifting, ranks by CumSum, positions by scattering. All
shapes are static: NonZero and Compress would be run at each inference instead of once.
"""

import numpy as np
from numpy.typing import NDArray

from freezepack.export.compact.graph import ZERO, GraphBuilder

Positions = NDArray[np.int64]


def gaps_of(positions: Positions) -> Positions:
    """Return the distances; the first counts from 0.

    Examples
    --------
    >>> gaps_of(np.array([0, 3, 200])).tolist()
    [0, 3, 197]
    """
    return np.diff(positions, prepend=0)


def gap_bytes(positions: Positions) -> int:
    """Return the length of the gaps.

    Examples
    --------
    >>> gap_bytes(np.array([0, 3, 200]))
    4
    """
    return varint_bytes(gaps_of(positions))


def varint_bytes(numbers: NDArray[np.int64]) -> int:
    """Return the length of numbers, none of them negative, as varints."""
    longer = (int((numbers >> shift > 0).sum()) for shift in range(7, 63, 7))
    return numbers.size + sum(longer)


def bitmap_bytes(size: int) -> int:
    """Return the length of a bitmap."""
    return -(-size // 8)


def add_positions(graph: GraphBuilder, positions: Positions, size: int) -> str:
    """Add the nodes that decode positions, in the shorter form; return their output.

    Parameters
    ----------
    positions : int64 array
        Strictly increasing, below `size`; at least one.
    """
    # what the nodes of a bitmap cost more than one CumSum
    if bitmap_bytes(size) + 300 < gap_bytes(positions):
        return _add_bitmap(graph, positions, size)
    return graph.op("CumSum", graph.integers(gaps_of(positions)), graph.integers(0))


def _add_bitmap(graph: GraphBuilder, positions: Positions, size: int) -> str:
    length = 8 * bitmap_bytes(size)
    mask = np.zeros(length, np.uint8)
    mask[positions] = 1
    packed = graph.constant(np.packbits(mask, bitorder="little").reshape(-1, 1))
    shifted = graph.op(
        "BitShift", packed, graph.constant(np.arange(8, dtype=np.uint8)), direction="RIGHT"
    )
    one = graph.constant(np.array(1, np.uint8))
    bits = graph.op("Reshape", graph.op("BitwiseAnd", shifted, one), graph.integers([-1]))
    rank = graph.op("CumSum", graph.op("Cast", bits, to=6), graph.integers(0))
    # bit b goes to slot rank - 1 if it is set, else to the slot behind the last
    behind = graph.constant(np.array(positions.size + 1, np.int32))
    chosen = graph.op("Where", graph.op("Cast", bits, to=9), rank, behind)
    slot = graph.op("Sub", chosen, graph.constant(np.array(1, np.int32)))
    numbers = graph.op("Range", graph.integers(0), graph.integers(length), graph.integers(1))
    empty = graph.op("ConstantOfShape", graph.integers([positions.size + 1]), value=ZERO)
    slots = graph.op("ScatterElements", empty, slot, numbers)
    return graph.op("Slice", slots, graph.integers([0]), graph.integers([positions.size]))
