"""Trained values in a graph: what is stored alike is one initializer, cut where it is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from freezepack.export.compact.coded import Coded
from freezepack.export.compact.graph import ELEMENT, GraphBuilder
from freezepack.export.compact.groups import Group
from freezepack.export.compact.index import varint_bytes
from freezepack.export.compact.plan import Part
from freezepack.types import DType

_INT64 = 7
_FLOAT = 1
_SIGN_BYTES = 80
"""What the nodes that give varints their signs cost."""


@dataclass(frozen=True)
class GridBase:
    """Names of what grids count from.

    Attributes
    ----------
    integers : str
        The base's integers of a group, as float32, which holds them exactly.
    tensors : str
        For each block of the group the number of its tensor.
    scales, multiples, powers : str
        By tensor: s, m * 2**t and 2**t; "" if no tensor has a shift.
    """

    integers: str
    tensors: str
    scales: str
    multiples: str
    powers: str


def add_values(
    graph: GraphBuilder, coded: Sequence[Coded], to: DType, *, joined: bool = False
) -> list[str]:
    """Add values that are no grid; return one output of type `to` for each of `coded`.

    Parameters
    ----------
    coded : sequence of Coded
        What is stored alike stands together.
    joined : bool
        Whether an output may stand for several of them, in their order.
    """
    found: list[str] = []
    for (kind, _), run in groupby(coded, key=lambda each: each.order):
        alike = list(run)
        if kind == 3:
            found += [_add_constant(graph, each) for each in alike]
            continue
        numbers = np.concatenate([each.numbers for each in alike])
        sizes = [each.numbers.size for each in alike]
        if alike[0].kind == "float":
            stored = graph.raw(numbers, alike[0].dtype)
            if alike[0].dtype != to:
                stored = graph.op("Cast", stored, to=ELEMENT[to])
            found += [stored] if joined else graph.split(stored, sizes)
        else:
            pieces = graph.split(add_integers(graph, numbers, _FLOAT), sizes)
            factors = [each.step.factor for each in alike if each.step]
            made = [
                graph.op("Mul", piece, graph.constant(np.array(factor)))
                for piece, factor in zip(pieces, factors, strict=True)
            ]
            found += [_narrow(graph, each, to) for each in made]
    return found


def add_group_values(
    graph: GraphBuilder, group: Group, positions: str, base: GridBase | None
) -> str:
    """Add the trained values of a group, in order of position; return their output."""
    trained = [part for part in group.parts if part.positions.size]
    grids = [part for part in trained if part.coded.kind == "grid"]
    others = [part for part in trained if part.coded.kind != "grid"]
    pieces: list[str] = []
    if grids and base:
        counts = [sum(part.positions.size for part in some) for some in (grids, others)]
        inside = graph.split(positions, counts)[0] if others else positions
        pieces.append(_add_grid(graph, grids, inside, base, group))
    pieces += add_values(graph, [part.coded for part in others], group.dtype, joined=True)
    return pieces[0] if len(pieces) == 1 else graph.op("Concat", *pieces, axis=0)


def _add_grid(
    graph: GraphBuilder, parts: Sequence[Part], positions: str, base: GridBase, group: Group
) -> str:
    """Add (k >> t) + m * q, as a multiple of 2**t, times s; one set of nodes for all tensors.

    The product of x * 2**t and s is that of x and s * 2**t: no power of two rounds.
    """
    tensor = graph.op("Gather", base.tensors, graph.op("Div", positions, graph.integers(4)))
    sums = graph.op("Cast", graph.op("Gather", base.integers, positions), to=_INT64)
    if base.powers:
        power = graph.op("Gather", base.powers, tensor)
        sums = graph.op("Sub", sums, graph.op("Mod", sums, power))
    steps = add_integers(graph, np.concatenate([part.coded.numbers for part in parts]))
    wide = graph.op("Mul", steps, graph.op("Gather", base.multiples, tensor))
    number = graph.op("Cast", graph.op("Add", sums, wide), to=_FLOAT)
    made = graph.op("Mul", number, graph.op("Gather", base.scales, tensor))
    return _narrow(graph, made, group.dtype)


def add_integers(graph: GraphBuilder, numbers: NDArray[np.int32], to: int = _INT64) -> str:
    """Add integers in their shortest form; return an output of type `to`.

    int8 or int16 as they are; or, where few need two bytes, varints of 2 * abs(n), plus 1 for
    negative ones.
    """
    # as if max were -max - 1, which needs as many bits with sign
    stored = numbers.astype(np.min_scalar_type(min(int(numbers.min()), -int(numbers.max()) - 1)))
    signed = 2 * np.abs(numbers.astype(np.int64)) + (numbers < 0)
    if stored.dtype == np.int8 or stored.nbytes < varint_bytes(signed) + _SIGN_BYTES:
        return graph.op("Cast", graph.constant(stored), to=to)
    packed = graph.integers(signed)
    sign = graph.op("BitwiseAnd", packed, graph.integers(1))
    found = graph.op("Div", packed, graph.op("Gather", graph.integers([2, -2]), sign))
    return found if to == _INT64 else graph.op("Cast", found, to=to)


def _add_constant(graph: GraphBuilder, coded: Coded) -> str:
    """Add one value as often as it is needed."""
    value = helper.make_tensor("", ELEMENT[coded.dtype], [1], coded.numbers.tobytes(), raw=True)
    return graph.op("ConstantOfShape", graph.integers([coded.count]), value=value)


def _narrow(graph: GraphBuilder, source: str, to: DType) -> str:
    return source if to == DType.float32 else graph.op("Cast", source, to=ELEMENT[to])
