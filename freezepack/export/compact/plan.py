"""What of a pack a graph has to regenerate: its tensors, one by one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import CheckpointError
from freezepack.export.compact.coded import Coded, code_values
from freezepack.export.compact.graph import ELEMENT
from freezepack.export.compact.index import bitmap_bytes, gap_bytes
from freezepack.format.tables import TensorRecord
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import Draw, DType, FileBase, Init, PackBase, RawArray, SeedBase, TensorSpec

GROUP_BYTES = 400
"""What a group of its own costs in nodes; a tensor with a dense mask has to save more."""
MOST_ELEMENTS = 1 << 34
"""From here on the upper word of a block's number is not 0; graphs take it to be."""
Key = tuple[Draw, int, DType, bool]


@dataclass(frozen=True, eq=False)
class Part:
    """One tensor that the graph makes.

    Attributes
    ----------
    init : Init
        How its base is drawn; zeros are the constant 0.
    seed : int
        Key of the generator; 0 if nothing is drawn.
    bits : raw array
        The rebuilt tensor.
    positions : int64 array
        Trained positions, in the tensor.
    coded : Coded
        The trained values as the graph holds them.
    first : int
        Place of its first element among those that its stream draws.
    """

    spec: TensorSpec
    init: Init
    seed: int
    bits: RawArray
    positions: NDArray[np.int64]
    coded: Coded
    first: int = 0

    def cut(self, most: int) -> list["Part"]:
        """Return vectors of at most `most` elements, a multiple of a block, that make it up.

        A tensor that fits is returned as it is.
        """
        size = self.spec.size
        if size <= most:
            return [self]
        return [self._piece(start, min(start + most, size)) for start in range(0, size, most)]

    def _piece(self, start: int, stop: int) -> "Part":
        low, high = np.searchsorted(self.positions, [start, stop])
        coded = self.coded
        if coded.kind == "constant":
            coded = replace(coded, count=int(high - low))
        else:
            coded = replace(coded, numbers=coded.numbers[low:high])
        spec = TensorSpec(f"{self.spec.name}@{start}", (stop - start,), self.spec.dtype)
        return Part(
            spec=spec,
            init=self.init,
            seed=self.seed,
            bits=self.bits[start:stop],
            positions=self.positions[low:high] - start,
            coded=coded,
            first=self.first + start,
        )

    def named(self, name: str) -> "Part":
        """Return the same tensor under another name, for an alias."""
        return replace(self, spec=replace(self.spec, name=name))

    @property
    def is_drawn(self) -> bool:
        """Whether the base needs words of the generator."""
        return self.init.draw != Draw.constant

    @property
    def is_values(self) -> bool:
        """Whether the base does not matter: every element is trained, and none counts from it."""
        return self.positions.size == self.spec.size and self.coded.kind != "grid"

    @property
    def key(self) -> Key:
        """What the tensors of a group have in common."""
        once = self.init.tail if self.is_drawn else self.init.bits
        saved = gap_bytes(self.positions) - bitmap_bytes(self.spec.size)
        return (self.init.draw, once, self.spec.dtype, saved > GROUP_BYTES)


def read_parts(rebuilder: Rebuilder, names: Iterable[str], *, exact: bool) -> list[Part]:
    """Read tensors of a pack.

    Parameters
    ----------
    names : iterable of str
        Names in the pack, no aliases.
    exact : bool
        Store trained values as plain floats, even where the pack has them on a grid.

    Raises
    ------
    CheckpointError
        If a tensor's base is outside the pack, or it is too long; with its name.
    """
    return [_read(rebuilder, rebuilder.record(name), exact) for name in names]


def is_float(record: TensorRecord) -> bool:
    """Return whether a tensor has a type that graphs can make; others stay initializers."""
    return record.spec.dtype in ELEMENT and record.spec.size > 0


def _read(rebuilder: Rebuilder, record: TensorRecord, exact: bool) -> Part:
    name, size = record.spec.name, record.spec.size
    if size >= MOST_ELEMENTS:
        raise CheckpointError(f"{name!r} has {size:,} elements, compact ONNX below 2**34")
    trained = rebuilder.count_trained(record)
    whole = trained == size
    if isinstance(record.base, FileBase | PackBase) and not whole:
        raise CheckpointError(
            f"{name!r} has a base outside the pack, which a graph cannot draw: "
            "compact ONNX needs seeds or zeros; export without --compact"
        )
    seed = record.base.seed if isinstance(record.base, SeedBase) else 0
    init = record.init if isinstance(record.base, SeedBase) else None
    bits = rebuilder.tensor(name)
    base = rebuilder.base_of(record)
    patcher = rebuilder.patcher(record)
    found, integers = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
    for number in range(record.layout.units if trained else 0):
        inside = patcher.positions(number)
        start, length = record.layout.start(number), record.layout.unit_size(number)
        at = base.values_at(start, length, inside) if base.has_patterns else None
        found.append(inside.astype(np.int64) + start)
        if at is not None and at.integers is not None and inside.size:
            integers.append(at.integers())
    positions = np.concatenate(found)
    k = np.concatenate(integers)
    coded = code_values(record, bits[positions], k if k.size else None, exact=exact)
    return Part(record.spec, init or Init(Draw.constant, 0), seed, bits, positions, coded)
