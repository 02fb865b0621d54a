"""Tensors for golden files: base and patch, coded as asked, with the content they stand for."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs import INDEX_CODECS, VALUE_CODECS
from freezepack.codecs.base import BaseValues, IndexCodec, Unit, ValueCodec
from freezepack.digest import digest
from freezepack.format.layout import layout_of
from freezepack.format.writer import EncodedTensor, EncodedUnit
from freezepack.random import fill_raw
from freezepack.types import (
    Base,
    Draw,
    DType,
    Init,
    Positions,
    RawArray,
    SeedBase,
    TensorSpec,
    ZerosBase,
)

_ONE = 0x3F800000


@dataclass(frozen=True, eq=False)
class Golden:
    """One tensor of a golden file.

    Attributes
    ----------
    positions : uint32 array or None
        Trained positions in the tensor; None for all.
    values : raw array
        Their values, in order of position.
    given : raw array or None
        The base, if it is one outside the file.
    coder : ValueCodec or None
        The value codec, if it has settings; else it is the one called `coding`.
    """

    spec: TensorSpec
    base: Base
    init: Init | None
    positions: NDArray[np.int64] | None
    values: RawArray
    index: str
    coding: str = "raw"
    mask_seed: SeedBase | None = None
    given: RawArray | None = None
    coder: ValueCodec | None = None

    def content(self) -> RawArray:
        """Return the bits that a reader has to make."""
        out = self._base()
        out[slice(None) if self.positions is None else self.positions] = self.values
        return out

    def encode(self) -> EncodedTensor:
        """Return the tensor, ready to be written."""
        index: IndexCodec = INDEX_CODECS.get_part(self.index)
        values: ValueCodec = self.coder or VALUE_CODECS.get_part(self.coding)
        length = values.parameter_length(self.spec.dtype)
        layout = layout_of(self.spec.shape)
        units, parameter = [], b""
        for number in range(layout.units):
            start, size = layout.start(number), layout.unit_size(number)
            rows, cols = layout.unit_matrix(number)
            unit = Unit(
                size, rows, cols, layout.kernel, start,
                self.mask_seed.seed if self.mask_seed else None,
                self.init.stream if self.init else 0,
                self._unit_patterns(start, size),
            )  # fmt: skip
            inside, chosen = self._trained(start, size)
            section, coded = b"", b""
            if 0 < inside.size < size:
                section = _made(index.encode(inside, unit), self.spec.name)
            if inside.size:
                base = self._base_values(start + inside.astype(np.int64))
                coded = _made(values.encode(chosen, self.spec.dtype, base), self.spec.name)
            parameter = coded[:length] or parameter
            units.append(EncodedUnit(int(inside.size), section, coded[length:]))
        return EncodedTensor(
            self.spec, self.base, self.init, index.id, values.id, tuple(units),
            digest(self.content()), self.mask_seed, parameter,
        )  # fmt: skip

    def _trained(self, start: int, size: int) -> tuple[Positions, RawArray]:
        """Return the trained positions of a unit, from 0, and their values."""
        if self.positions is None:
            return np.arange(size, dtype=np.uint32), self.values[start : start + size]
        first, last = np.searchsorted(self.positions, [start, start + size])
        return (self.positions[first:last] - start).astype(np.uint32), self.values[first:last]

    def _base(self) -> RawArray:
        if self.given is not None:
            return self.given.copy()
        out = np.zeros(self.spec.size, self.spec.dtype.raw)
        if isinstance(self.base, SeedBase) and self.init is not None:
            fill_raw(out, self.spec.dtype, key=self.base.seed, init=self.init, backend="numpy")
        return out

    def patterns(self, bits: int | None = None) -> NDArray[np.uint32]:
        """Return the base as float32 before it is narrowed, if asked with another factor."""
        out = np.zeros(self.spec.size, np.uint32)
        if isinstance(self.base, SeedBase) and self.init is not None:
            init = self.init if bits is None else replace(self.init, bits=bits)
            fill_raw(out, DType.float32, key=self.base.seed, init=init, backend="numpy")
        return out

    def integers(self) -> NDArray[np.int32]:
        """Return the integers that the base is drawn from."""
        return self.patterns(_ONE).view(np.float32).astype(np.int32)

    def _unit_patterns(self, start: int, size: int) -> Callable[[], NDArray[np.uint32]] | None:
        """Return what makes the patterns of a unit; None for a base outside the file."""
        if self.given is not None:
            return None
        return lambda: self.patterns()[start : start + size]

    def _base_values(self, positions: NDArray[np.int64]) -> BaseValues:
        bits = self._base()[positions]
        drawn = isinstance(self.base, SeedBase) and self.init is not None
        if not drawn or self.init is None or self.init.draw in (Draw.constant, Draw.sign):
            return BaseValues(lambda: bits)
        integers = self.integers()[positions]
        return BaseValues(lambda: bits, lambda: integers, self.init.bits)


def stored(name: str, shape: tuple[int, ...], dtype: DType, data: bytes) -> Golden:
    """Return a tensor that is stored whole; an empty one has index codec `none`."""
    spec = TensorSpec(name, shape, dtype)
    values = np.frombuffer(data, dtype.raw)
    return Golden(spec, ZerosBase(), None, None, values, "all" if spec.size else "none")


def _made(section: bytes | None, name: str) -> bytes:
    if section is None:
        raise ValueError(f"{name!r} cannot be coded so")
    return section
