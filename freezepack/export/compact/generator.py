"""All words of a network by one call of the generator, and the integers drawn from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freezepack.export.compact.functions import DOMAIN
from freezepack.export.compact.graph import GraphBuilder
from freezepack.export.compact.groups import Group
from freezepack.random.table import NORMAL_TABLE
from freezepack.types import Draw

_UINT64 = 13
_NORMAL = (Draw.normal, Draw.truncated_normal)


@dataclass(frozen=True)
class Drawn:
    """Names of what the generator makes for one group.

    Attributes
    ----------
    integers : str
        int64, blocks by elements of a block.
    tensors : str
        int64, shape (blocks, 1): the number of the tensor that a block belongs to.
    """

    integers: str
    tensors: str


def add_draws(graph: GraphBuilder, groups: Sequence[Group], arithmetic: str) -> list[Drawn]:
    """Add the nodes that draw all groups; tensors are numbered in order of the groups.

    Parameters
    ----------
    groups : sequence of Group
        Not constants; at least one.
    """
    word = np.uint64 if arithmetic == "u64" else np.int64
    sizes = [sum(group.padded) // group.block for group in groups]
    numbers = _add_numbers(graph, sum(sizes))
    tensors = _add_tensor_numbers(graph, groups, numbers)
    words = _add_words(graph, groups, numbers, tensors, word)
    parts = zip(groups, graph.split(words, sizes), graph.split(tensors, sizes), strict=True)
    return [Drawn(_add_integers(graph, group, w, word), t) for group, w, t in parts]


def table_rows() -> NDArray[np.uint32]:
    """Return the table of the normal draw as the graph has it, 7 rows of 32.

    By place of the highest bit, not by octave, so in reverse; the last row holds the power of two
    that brings this bit to place 31.
    """
    rows = NORMAL_TABLE[:, ::-1].astype(np.uint32)
    powers = np.uint32(1) << np.arange(31, -1, -1, dtype=np.uint32)
    return np.concatenate([rows, powers[None]]).reshape(-1)


def _starts(groups: Sequence[Group]) -> list[int]:
    """Return the first block of each tensor."""
    blocks = [size // group.block for group in groups for size in group.padded]
    return [0, *np.cumsum(blocks[:-1]).tolist()]


def _add_numbers(graph: GraphBuilder, total: int) -> str:
    """Add the numbers of all blocks, one below the other."""
    bounds = [graph.integers(n) for n in (0, total, 1)]
    return graph.op("Reshape", graph.op("Range", *bounds), graph.integers([total, 1]))


def _add_tensor_numbers(graph: GraphBuilder, groups: Sequence[Group], numbers: str) -> str:
    starts = _starts(groups)
    zeros = graph.op("Sub", numbers, numbers)  # shorter than ConstantOfShape with a type
    if len(starts) == 1:
        return zeros
    places = graph.integers(np.array(starts[1:]).reshape(-1, 1))
    ones = graph.integers(np.ones((len(starts) - 1, 1)))
    marked = graph.op("ScatterElements", zeros, places, ones)
    return graph.op("CumSum", marked, graph.integers(0))


def _add_words(
    graph: GraphBuilder, groups: Sequence[Group], numbers: str, tensors: str, word: type
) -> str:
    parts = [part for group in groups for part in group.parts]
    firsts = [part.first // group.block for group in groups for part in group.parts]
    shifts = np.array(_starts(groups)) - firsts
    block = graph.op("Sub", numbers, graph.op("Gather", graph.integers(shifts), tensors))
    if word is np.uint64:
        block = graph.op("Cast", block, to=_UINT64)

    def pick(values: list[int]) -> str:
        if len(set(values)) == 1:
            return graph.constant(np.array(values[0], word))
        return graph.op("Gather", graph.constant(np.array(values, word)), tensors)

    low, high = _halves([part.init.stream for part in parts])
    key_low, key_high = _halves([part.seed for part in parts])
    counter = [block, graph.constant(np.array(0, word)), pick(low), pick(high)]
    return graph.op("Words", *counter, pick(key_low), pick(key_high), domain=DOMAIN)


def _halves(numbers: list[int]) -> tuple[list[int], list[int]]:
    return [n & 0xFFFFFFFF for n in numbers], [n >> 32 for n in numbers]


def _add_integers(graph: GraphBuilder, group: Group, words: str, word: type) -> str:
    inputs = [words]
    if group.draw == Draw.truncated_normal:
        inputs.append(graph.constant(np.array(group.once, word)))
    if group.draw in _NORMAL:
        inputs.append(graph.constant(table_rows()))
    name = {
        Draw.uniform: "Uniform",
        Draw.normal: "Normal",
        Draw.truncated_normal: "Truncated",
        Draw.sign: "Signs",
    }[group.draw]
    return graph.op(name, *inputs, domain=DOMAIN)
