"""The nodes that make the tensors of a pack, bit for bit."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from freezepack.export.compact.generator import Drawn, add_draws
from freezepack.export.compact.graph import ELEMENT, GraphBuilder
from freezepack.export.compact.groups import Group, make_groups
from freezepack.export.compact.guard import add_guard, add_poison, expected_sum
from freezepack.export.compact.index import add_positions
from freezepack.export.compact.plan import Part
from freezepack.export.compact.values import GridBase, add_group_values, add_values
from freezepack.rebuild.backend import Backend
from freezepack.types import Draw, DType

_FLOAT = 1


def add_weights(
    graph: GraphBuilder,
    parts: Sequence[Part],
    backend: Backend,
    *,
    arithmetic: str,
    guard: bool,
    most: int | None = None,
) -> set[Draw]:
    """Add nodes whose outputs have the names of the tensors; return which draws they use.

    Parameters
    ----------
    parts : sequence of Part
        In any order; at least one.
    guard : bool
        Whether wrong integers turn the weights into NaN.
    most : int, optional
        Elements that one call of the generator makes; by default it makes all. A runtime that
        frees what it needs no more needs less memory for many small calls.
    """
    _add_values(graph, [part for part in parts if part.is_values])
    groups = make_groups([part for part in parts if not part.is_values], most)
    drawn = [group for group in groups if group.draw != Draw.constant]
    for batch in [[group] for group in drawn] if most else [drawn] if drawn else []:
        scales = graph.constant(_factors(batch))
        for group, draw in zip(batch, add_draws(graph, batch, arithmetic), strict=True):
            place = _add_place(graph, group)
            right = _add_guard(graph, group, place, backend, draw) if guard else ""
            factors = add_poison(graph, right, scales)
            base = _add_drawn_base(graph, group, draw, factors)
            grid = _add_grid_base(graph, batch, draw, factors) if group.has_grid else None
            _add_outputs(graph, group, _patched(graph, group, base, place, grid))
    for group in groups[len(drawn) :]:
        place = _add_place(graph, group)
        right = _add_guard(graph, group, place, backend) if guard and place else ""
        base = _add_constant_base(graph, group, right)
        _add_outputs(graph, group, _patched(graph, group, base, place))
    return {group.draw for group in drawn}


def _add_place(graph: GraphBuilder, group: Group) -> str:
    """Add the trained positions of a group, if there are any."""
    if not group.positions.size:
        return ""
    return add_positions(graph, group.positions, sum(group.padded))


def _add_guard(
    graph: GraphBuilder, group: Group, place: str, backend: Backend, draw: Drawn | None = None
) -> str:
    """Add sums over the integers and the positions of a group."""
    expected = expected_sum(group, backend) if draw else 0
    expected += int(group.positions.sum())
    return add_guard(graph, draw.integers if draw else "", place, expected)


def _patched(
    graph: GraphBuilder, group: Group, base: str, place: str, grid: GridBase | None = None
) -> str:
    """Add the trained values of a group at their positions."""
    if not place:
        return base
    values = add_group_values(graph, group, place, grid)
    return graph.op("ScatterElements", base, place, values)


def _factors(groups: Sequence[Group]) -> NDArray[np.float32]:
    """Return the factor of each tensor."""
    bits = [part.init.bits for group in groups for part in group.parts]
    return np.array(bits, np.uint32).view(np.float32)


def _add_grid_base(
    graph: GraphBuilder, groups: Sequence[Group], drawn: Drawn, scales: str
) -> GridBase:
    """Return what the grids of a group count from; the tables are over all tensors."""
    flat = graph.integers([-1])
    coded = [part.coded for group in groups for part in group.parts]
    steps = [each.step if each.kind == "grid" else None for each in coded]
    powers = [1 << step.shift if step else 1 for step in steps]
    multiples = [step.multiple << step.shift if step else 0 for step in steps]
    integers = graph.op("Cast", drawn.integers, to=_FLOAT)
    return GridBase(
        integers=graph.op("Reshape", integers, flat),
        tensors=graph.op("Reshape", drawn.tensors, flat),
        scales=scales,
        multiples=graph.integers(multiples),
        powers=graph.integers(powers) if set(powers) != {1} else "",
    )


def _add_values(graph: GraphBuilder, parts: list[Part]) -> None:
    """Add tensors whose base does not matter; plain ones are initializers as they are."""
    for dtype in sorted({part.spec.dtype for part in parts}):
        alike = [part for part in parts if part.spec.dtype == dtype]
        alike.sort(key=lambda part: part.coded.order)
        coded = [part for part in alike if not _is_plain(part)]
        for part, output in zip(
            coded, add_values(graph, [part.coded for part in coded], dtype), strict=True
        ):
            graph.finish(output, part.spec.name, part.spec.shape)
        for part in filter(_is_plain, alike):
            graph.raw(part.coded.numbers.reshape(part.spec.shape), dtype, part.spec.name)


def _is_plain(part: Part) -> bool:
    return part.coded.kind == "float" and part.coded.dtype == part.spec.dtype


def _add_drawn_base(graph: GraphBuilder, group: Group, drawn: Drawn, scales: str) -> str:
    """Add integers times factors, as one vector."""
    numbers = graph.op("Cast", drawn.integers, to=_FLOAT)
    base = graph.op("Mul", numbers, graph.op("Gather", scales, drawn.tensors))
    if group.dtype != DType.float32:
        base = graph.op("Cast", base, to=ELEMENT[group.dtype])
    return graph.op("Reshape", base, graph.integers([-1]))


def _add_constant_base(graph: GraphBuilder, group: Group, right: str) -> str:
    """Add a vector of equal elements."""
    size = graph.integers([sum(group.padded)])
    pattern = np.array([group.once], np.uint32)
    if not right and group.dtype == DType.float32:
        value = helper.make_tensor("", _FLOAT, [1], pattern.tobytes(), raw=True)
        return graph.op("ConstantOfShape", size, value=value)
    factor = add_poison(graph, right, graph.constant(pattern.view(np.float32)))
    base = graph.op("Expand", factor, size)
    return base if group.dtype == DType.float32 else graph.op("Cast", base, to=ELEMENT[group.dtype])


def _add_outputs(graph: GraphBuilder, group: Group, flat: str) -> None:
    """Cut a group into its tensors."""
    sizes: list[int] = []
    for part, padded in zip(group.parts, group.padded, strict=True):
        sizes += [part.spec.size, padded - part.spec.size]
    kept = [number for number, size in enumerate(sizes) if size]
    for number, piece in zip(kept, graph.split(flat, [sizes[i] for i in kept]), strict=True):
        if number % 2 == 0:
            spec = group.parts[number // 2].spec
            graph.finish(piece, spec.name, spec.shape)
