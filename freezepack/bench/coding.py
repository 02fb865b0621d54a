"""What our index codecs make of a mask, unit by unit as a file has it, and what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from freezepack.bench.masks import NetworkMask, TensorMask
from freezepack.codecs import INDEX_CODECS
from freezepack.codecs.base import IndexCodec, Unit
from freezepack.errors import VerificationError
from freezepack.format.cursor import varint_bytes
from freezepack.format.layout import layout_of
from freezepack.types import Positions

BASES = ("seed", "zeros")


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes of an index: its sections, and the counts and lengths that stand in the header."""

    sections: int
    header: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.sections + other.sections, self.header + other.header)


Costs = dict[str, Cost]


def index_costs(mask: NetworkMask, base: str) -> dict[str, Costs]:
    """Code every tensor of a mask with every index codec, decode it again and compare.

    Parameters
    ----------
    mask : NetworkMask
        What to code.
    base : {"seed", "zeros"}
        What the decoder knows of the frozen weights.

    Returns
    -------
    dict of codec to dict of tensor to Cost
        Tensors that a codec cannot code, or declines, are left out of its costs.

    Raises
    ------
    VerificationError
        If a codec does not return the mask.
    """
    found: dict[str, Costs] = {}
    for name in INDEX_CODECS:
        codec: IndexCodec = INDEX_CODECS.get_part(name)
        if codec.shared:  # it codes no mask without values
            continue
        costs = {t.name: tensor_cost(codec, t, mask.seed, base) for t in mask.tensors}
        found[name] = {key: cost for key, cost in costs.items() if cost is not None}
    return found


def tensor_cost(codec: IndexCodec, tensor: TensorMask, seed: int, base: str) -> Cost | None:
    """Return what one tensor's index costs in a codec, or None if it cannot be coded so."""
    if tensor.positions.size in (0, tensor.size):
        return Cost(0, 0)
    total = Cost(0, 0)
    for unit, positions in units(tensor, seed, base):
        header = len(varint_bytes(positions.size))
        section = b""
        if 0 < positions.size < unit.size:
            coded = codec.encode(positions, unit)
            if coded is None:
                return None
            section = coded
            if not np.array_equal(codec.decode(memoryview(coded), positions.size, unit), positions):
                raise VerificationError(f"{codec.name} does not return the mask of {tensor.name!r}")
            if codec.fixed_length(unit.size, positions.size) is None:
                header += len(varint_bytes(len(section)))
        total += Cost(len(section), header)
    return total


def units(tensor: TensorMask, seed: int, base: str) -> Iterator[tuple[Unit, Positions]]:
    """Cut a tensor into units, each with its trained positions and its base at hand."""
    layout = layout_of(tensor.shape)
    for number in range(layout.units):
        start, size = layout.start(number), layout.unit_size(number)
        rows, cols = layout.unit_matrix(number)
        first, last = np.searchsorted(tensor.positions, [start, start + size])
        patterns = _patterns(tensor, seed, base, start, size)
        unit = Unit(size, rows, cols, layout.kernel, start, base=partial(np.asarray, patterns))
        yield unit, (tensor.positions[first:last] - np.uint32(start)).astype(np.uint32)


def _patterns(
    tensor: TensorMask, seed: int, base: str, start: int, size: int
) -> NDArray[np.uint32]:
    if base == "zeros":
        return np.zeros(size, np.uint32)
    return tensor.patterns(seed, start, size)


def smallest(costs: dict[str, Costs]) -> Cost:
    """Return the cost of a file that takes for each tensor the codec with the fewest bytes."""
    best: Costs = {}
    for of_tensors in costs.values():
        for name, cost in of_tensors.items():
            other = best.get(name)
            if other is None or cost.sections + cost.header < other.sections + other.header:
                best[name] = cost
    return total(best)


def total(costs: Costs) -> Cost:
    """Return the cost of all tensors."""
    return sum(costs.values(), Cost(0, 0))
