"""The poison guard: sums over what was computed, compared with what they must be.

A runtime that computes 64-bit integers wrongly, by narrowing them without a word, would run a
network of wrong weights. Here it gets NaN instead: the factors of all draws, and the constants that
are patched, are NaN unless the sum of all drawn integers and all decoded positions is right.
"""

from dataclasses import replace

import numpy as np

from freezepack.export.compact.graph import GraphBuilder
from freezepack.export.compact.groups import Group
from freezepack.export.compact.plan import Part
from freezepack.rebuild.backend import Backend
from freezepack.types import DType

_ONE = 0x3F800000
_TILE = 1 << 20


def add_guard(graph: GraphBuilder, integers: str, positions: str, expected: int) -> str:
    """Add the comparison; return an output that is true where the sums are right.

    Parameters
    ----------
    integers : str
        int64 of any shape; "" if nothing is drawn.
    positions : str
        int64 vector; "" if nothing is trained.
    expected : int
        What the sum must be.
    """
    sums = [graph.op("ReduceSum", integers, keepdims=0)] if integers else []
    if positions:
        # one element, which serves as well as a scalar and needs no attribute
        sums.append(graph.op("ReduceSum", positions))
    total = graph.op("Add", *sums) if len(sums) > 1 else sums[0]
    return graph.op("Equal", total, graph.integers(expected))


def add_poison(graph: GraphBuilder, right: str, factors: str) -> str:
    """Return `factors`, or NaN for each of them if the sums are wrong."""
    if not right:
        return factors
    return graph.op("Where", right, factors, graph.constant(np.array(np.nan, np.float32)))


def expected_sum(group: Group, backend: Backend) -> int:
    """Return the sum of the integers that a group is drawn as, padding included."""
    pairs = zip(group.parts, group.padded, strict=True)
    return sum(_sum_drawn(part, padded, backend) for part, padded in pairs)


def _sum_drawn(part: Part, size: int, backend: Backend) -> int:
    # With a factor of 1 the draw gives its integers, which float32 holds exactly.
    init = replace(part.init, bits=_ONE)
    total = 0
    for start in range(0, size, _TILE):
        out = np.empty(min(_TILE, size - start), np.uint32)
        backend.fill(out, DType.float32, key=part.seed, init=init, start=part.first + start)
        total += int(out.view(np.float32).astype(np.int64).sum())
    return total
