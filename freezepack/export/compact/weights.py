"""The nodes that make the tensors of a pack, bit for bit."""

from collections.abc import Sequence

import numpy as np
from onnx import helper

from freezepack.export.compact.generator import Drawn, add_draws
from freezepack.export.compact.graph import ELEMENT, GraphBuilder
from freezepack.export.compact.guard import add_guard, add_poison, expected_sum
from freezepack.export.compact.index import add_positions
from freezepack.export.compact.plan import Group, Part, make_groups
from freezepack.export.compact.values import GridBase, add_group_values, add_values
from freezepack.rebuild.backend import Backend
from freezepack.types import Draw, DType

_FLOAT = 1


def add_weights(
    graph: GraphBuilder, parts: Sequence[Part], backend: Backend, *, arithmetic: str, guard: bool
) -> set[Draw]:
    """Add nodes whose outputs have the names of the tensors; return which draws they use.

    Parameters
    ----------
    parts : sequence of Part
        In any order; at least one.
    guard : bool
        Whether wrong integers turn the weights into NaN.
    """
    _add_values(graph, [part for part in parts if part.is_values])
    groups = make_groups([part for part in parts if not part.is_values])
    drawn = [group for group in groups if group.draw != Draw.constant]
    draws = add_draws(graph, drawn, arithmetic) if drawn else []
    places = [
        add_positions(graph, group.positions, sum(group.padded)) if group.positions.size else ""
        for group in groups
    ]
    right = ""
    found = [draw.integers for draw in draws] + [place for place in places if place]
    if guard and found:
        total = expected_sum(drawn, backend) + sum(int(g.positions.sum()) for g in groups)
        right = add_guard(graph, found, total)
    tables = _Tables(graph, drawn, right) if drawn else None
    for number, (group, place) in enumerate(zip(groups, places, strict=True)):
        grid = None
        if tables and number < len(draws):
            base = _add_drawn_base(graph, group, draws[number], tables.scales)
            if any(part.coded.kind == "grid" for part in group.parts):
                grid = tables.grid(draws[number])
        else:
            base = _add_constant_base(graph, group, right if place else "")
        if place:
            values = add_group_values(graph, group, place, grid)
            base = graph.op("ScatterElements", base, place, values)
        _add_outputs(graph, group, base)
    return {group.draw for group in drawn}


class _Tables:
    """Numbers by tensor, over all drawn tensors."""

    def __init__(self, graph: GraphBuilder, groups: Sequence[Group], right: str) -> None:
        self._graph = graph
        self._parts = [part for group in groups for part in group.parts]
        factors = np.array([part.init.bits for part in self._parts], np.uint32).view(np.float32)
        self.scales = add_poison(graph, right, graph.constant(factors))

    def grid(self, drawn: Drawn) -> GridBase:
        """Return what the grids of a group count from."""
        graph, flat = self._graph, self._graph.integers([-1])
        steps = [part.coded.step if part.coded.kind == "grid" else None for part in self._parts]
        powers = [1 << step.shift if step else 1 for step in steps]
        multiples = [step.multiple << step.shift if step else 0 for step in steps]
        integers = graph.op("Cast", drawn.integers, to=_FLOAT)
        return GridBase(
            integers=graph.op("Reshape", integers, flat),
            tensors=graph.op("Reshape", drawn.tensors, flat),
            scales=self.scales,
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
            graph.op("Reshape", output, graph.integers(part.spec.shape), output=part.spec.name)
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
    if group.dtype != DType.float32:
        factor = graph.op("Cast", factor, to=ELEMENT[group.dtype])
    return graph.op("Expand", factor, size)


def _add_outputs(graph: GraphBuilder, group: Group, flat: str) -> None:
    """Cut a group into its tensors."""
    sizes: list[int] = []
    for part, padded in zip(group.parts, group.padded, strict=True):
        sizes += [part.spec.size, padded - part.spec.size]
    kept = [number for number, size in enumerate(sizes) if size]
    names = [
        group.parts[i // 2].spec.name
        if i % 2 == 0 and len(group.parts[i // 2].spec.shape) == 1
        else ""
        for i in kept
    ]
    if len(kept) == 1:
        names = [""]
    pieces = graph.split(flat, [sizes[i] for i in kept], names)
    for i, piece in zip(kept, pieces, strict=True):
        spec = group.parts[i // 2].spec
        if i % 2 == 0 and piece != spec.name:
            graph.op("Reshape", piece, graph.integers(spec.shape), output=spec.name)
