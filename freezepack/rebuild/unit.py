"""One unit of a tensor: its base where a codec looks at it, its index and its values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.codecs.base import BaseValues, Unit
from freezepack.codecs.grid.codec import make_values, read_step
from freezepack.errors import CorruptError, FormatError
from freezepack.format.layout import Layout
from freezepack.format.reader import PackReader
from freezepack.format.tables import TensorRecord, UnitEntry
from freezepack.rebuild.base import TensorBase
from freezepack.rebuild.runs import RunDecoder
from freezepack.types import DType, Positions, RawArray, SeedBase


def describe_unit(
    layout: Layout,
    number: int,
    base: TensorBase,
    mask_seed: SeedBase | None,
    *,
    offset: int = 0,
    patterns: Callable[[], NDArray[np.uint32]] | None = None,
) -> Unit:
    """Return what codecs may know of unit `number`; its base is made when they ask for it.

    Parameters
    ----------
    offset : int
        Position in the file of the section.
    patterns : callable, optional
        Returns the patterns of the base, where they are made in another way.
    """
    start, size = layout.start(number), layout.unit_size(number)
    rows, cols = layout.unit_matrix(number)
    if patterns is None and base.has_patterns:
        patterns = partial(base.make_patterns, start, size)
    return Unit(
        size=size,
        rows=rows,
        cols=cols,
        kernel=layout.kernel,
        start=start,
        key=mask_seed.seed if mask_seed else None,
        stream=base.init.stream if base.init else 0,
        base=patterns,
        offset=offset,
    )


class UnitBase:
    """The base of one unit, made once and only if a codec looks at it.

    Parameters
    ----------
    out : raw array, optional
        Where to make it: the unit's elements. Without it memory is taken when needed.

    Attributes
    ----------
    elements : raw array or None
        The base; None until a codec has looked at it.
    """

    __slots__ = ("_base", "_out", "elements", "size", "start")

    def __init__(
        self, base: TensorBase, start: int, size: int, out: RawArray | None = None
    ) -> None:
        self.start = start
        self.size = size
        self.elements: RawArray | None = None
        self._base = base
        self._out = out

    def make(self) -> RawArray:
        """Return the base as bits of the element type."""
        if self.elements is None:
            out = np.empty(self.size, self._base.spec.dtype.raw) if self._out is None else self._out
            self._base.fill(out, self.start)
            self.elements = out
        return self.elements

    def make_patterns(self) -> NDArray[np.uint32]:
        """Return the float32 patterns of the base, which are its bits if it is float32."""
        if self._base.spec.dtype == DType.float32:
            return self.make().view(np.uint32)
        return self._base.make_patterns(self.start, self.size)

    def make_integers_at(self, positions: Positions | None) -> NDArray[np.int32]:
        """Return the integers of the draw at some positions of the unit; None is all.

        A float32 base that was not made yet is made of them on the way, by the one multiplication
        that makes it anywhere.
        """
        chosen = slice(None) if positions is None else positions
        if self.elements is not None or self._base.spec.dtype != DType.float32:
            return self._base.make_integers(self.start, self.size)[chosen].astype(np.int32)
        numbers = self._base.make_integers(self.start, self.size, self._out)
        integers = numbers[chosen].astype(np.int32)
        numbers *= self._base.factor
        self.elements = numbers.view(np.uint32)
        return integers

    def make_at(self, positions: Positions | None) -> RawArray:
        """Return the bits of the base at some positions of the unit; None is all."""
        return self.make() if positions is None else self.make()[positions]


@dataclass(frozen=True, slots=True)
class UnitPatch:
    """What is trained in a unit, or in a part of it.

    Attributes
    ----------
    positions : uint32 array or None
        Increasing, counted from the first element; None where all is trained.
    values : raw array
        Bits of the trained elements; may be read-only.
    """

    positions: Positions | None
    values: RawArray

    def cut(self, begin: int, end: int) -> "UnitPatch":
        """Return what is trained of elements `begin` to `end` - 1, counted from `begin`."""
        if self.positions is None:
            return UnitPatch(None, self.values[begin:end])
        low, high = np.searchsorted(self.positions, (begin, end))
        return UnitPatch(self.positions[low:high] - np.uint32(begin), self.values[low:high])


class UnitPatcher:
    """Decodes the patch of one tensor, unit by unit.

    Parameters
    ----------
    reader : PackReader
        The open pack.
    record : TensorRecord
        The tensor.
    base : TensorBase
        Made only where a codec asks for it.
    runs : RunDecoder
        Decodes what the tensor shares with others.
    """

    def __init__(
        self, reader: PackReader, record: TensorRecord, base: TensorBase, runs: RunDecoder
    ) -> None:
        self.reader = reader
        self.record = record
        self.base = base
        self.runs = runs
        self.layout = record.layout
        self.index = index_codec_by_id(record.kind.index_codec)
        self.values = value_codec_by_id(record.kind.value_codec)
        number = record.kind.mask_base
        seed = reader.header.bases[number - 1] if number else None
        self._mask_seed = seed if isinstance(seed, SeedBase) else None

    def decode(self, number: int, base: UnitBase) -> UnitPatch | None:
        """Return what is trained in unit `number`, or None where nothing is.

        Parameters
        ----------
        base : UnitBase
            Of this unit. Its elements are made if a codec looks at them, and left as they are.

        Raises
        ------
        FormatError
            If a section is damaged or breaks a rule.
        """
        entry = self.record.unit(number)
        if self.index.shared:
            return self._decode_shared(number, entry, base)
        if not entry.count:
            return None
        index, values = self.reader.sections(self.record, number)
        try:
            positions = None
            if entry.count < base.size:
                positions = self._decode_index(number, entry, index, base.make_patterns)
            return UnitPatch(positions, self._decode_values(entry, values, base, positions))
        except FormatError as error:
            raise error.of(self.record.spec.name) from None

    def positions(self, number: int) -> Positions:
        """Return the trained positions of unit `number`, without making its elements.

        Raises
        ------
        FormatError
            If the section is damaged or breaks a rule.
        """
        entry = self.record.unit(number)
        if self.index.shared:
            return self.runs.levels(self.record, number).positions
        if entry.count in {0, self.layout.unit_size(number)}:
            return np.arange(entry.count, dtype=np.uint32)
        index, _ = self.reader.sections(self.record, number)
        try:
            return self._decode_index(number, entry, index)
        except FormatError as error:
            raise error.of(self.record.spec.name) from None

    def _decode_shared(self, number: int, entry: UnitEntry, base: UnitBase) -> UnitPatch | None:
        """Return what is trained in a unit of a run: integers on the grid of the record."""
        levels = self.runs.levels(self.record, number)
        if not levels.positions.size:
            return None
        known = self._describe_values(base, levels.positions)
        offset, dtype = entry.values_offset, self.record.spec.dtype
        try:
            step = read_step(self.record.parameter, dtype, known, offset)
            values = make_values(levels.steps.astype(np.int64), step, dtype, known, offset)
        except FormatError as error:
            raise error.of(self.record.spec.name) from None
        return UnitPatch(levels.positions, values)

    def _describe_values(self, unit: UnitBase, positions: Positions | None) -> BaseValues:
        """Return what value codecs may know of the base at some positions."""
        return self.base.describe_values(
            partial(unit.make_at, positions), partial(unit.make_integers_at, positions)
        )

    def _decode_index(
        self,
        number: int,
        entry: UnitEntry,
        section: memoryview,
        patterns: Callable[[], NDArray[np.uint32]] | None = None,
    ) -> Positions:
        """Return the trained positions, proven to lie in the unit."""
        unit = describe_unit(
            self.layout,
            number,
            self.base,
            self._mask_seed,
            offset=entry.index_offset,
            patterns=patterns if self.base.has_patterns else None,
        )
        positions = self.index.decode(section, entry.count, unit)
        inside = positions.size == entry.count and positions[-1] < unit.size
        if not inside or not (positions[1:] > positions[:-1]).all():
            problem = f"expected {entry.count} increasing positions below {unit.size}"
            raise CorruptError("index", entry.index_offset, problem)
        return positions

    def _decode_values(
        self, entry: UnitEntry, section: memoryview, unit: UnitBase, positions: Positions | None
    ) -> RawArray:
        base = self._describe_values(unit, positions)
        if self.record.parameter:
            section = memoryview(self.record.parameter + section)
        offset, dtype = entry.values_offset, self.record.spec.dtype
        values = self.values.decode(section, dtype, entry.count, base, offset)
        if values.size != entry.count:
            raise CorruptError("values", offset, f"{values.size} values, expected {entry.count}")
        return values
