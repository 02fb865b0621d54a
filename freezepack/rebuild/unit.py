"""One unit of a tensor: decode the index, decode the values, replace."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.codecs.base import Unit
from freezepack.errors import CorruptError, FormatError
from freezepack.format.layout import Layout
from freezepack.format.reader import PackReader
from freezepack.format.tables import TensorRecord
from freezepack.rebuild.base import TensorBase
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
        Returns the patterns of the base, where they are at hand already.
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


@dataclass(frozen=True, slots=True)
class UnitPatcher:
    """Puts the trained elements of one tensor into its base, unit by unit.

    Attributes
    ----------
    base : TensorBase
        Made only where a codec or a wholly trained unit asks for it.
    """

    reader: PackReader
    record: TensorRecord
    base: TensorBase

    def patch(self, number: int, out: RawArray) -> None:
        """Replace the trained elements of unit `number`.

        Parameters
        ----------
        out : raw array
            The unit's elements, changed in place. They are the base already, unless everything
            in the unit is trained: then they may be anything.

        Raises
        ------
        FormatError
            If a section is damaged or breaks a rule.
        """
        entry = self.record.unit(number)
        if not entry.count:
            return
        index, values = self.reader.sections(self.record, number)
        try:
            whole = entry.count == out.size
            positions = None if whole else self._decode_index(number, index, out.size, out)
            decoded = self._decode_values(number, values, out, positions)
        except FormatError as error:
            raise error.of(self.record.spec.name) from None
        if positions is None:
            out[:] = decoded
        else:
            self.base.backend.patch(out, positions, decoded)

    def positions(self, number: int) -> Positions:
        """Return the trained positions of unit `number`, without making its elements.

        Raises
        ------
        FormatError
            If the section is damaged or breaks a rule.
        """
        entry, size = self.record.unit(number), self.record.layout.unit_size(number)
        if entry.count in {0, size}:
            return np.arange(entry.count, dtype=np.uint32)
        index, _ = self.reader.sections(self.record, number)
        try:
            return self._decode_index(number, index, size)
        except FormatError as error:
            raise error.of(self.record.spec.name) from None

    def _decode_index(
        self, number: int, section: memoryview, size: int, out: RawArray | None = None
    ) -> Positions:
        """Return the trained positions, proven to lie in the unit; `out` holds its base."""
        record, kind = self.record, self.record.kind
        entry = record.unit(number)
        seed = self.reader.header.bases[kind.mask_base - 1] if kind.mask_base else None
        mask_seed = seed if isinstance(seed, SeedBase) else None
        # `out` may hold the very patterns of the base: no need to make them again.
        seeded = isinstance(record.base, SeedBase) and record.spec.dtype == DType.float32
        unit = describe_unit(
            record.layout,
            number,
            self.base,
            mask_seed,
            offset=entry.index_offset,
            patterns=(lambda: out.view(np.uint32)) if seeded and out is not None else None,
        )
        positions = index_codec_by_id(kind.index_codec).decode(section, entry.count, unit)
        inside = positions.size == entry.count and positions[-1] < size
        if not inside or not (positions[1:] > positions[:-1]).all():
            problem = f"expected {entry.count} increasing positions below {size}"
            raise CorruptError("index", entry.index_offset, problem)
        return positions

    def _decode_values(
        self, number: int, section: memoryview, out: RawArray, positions: Positions | None
    ) -> RawArray:
        record, entry = self.record, self.record.unit(number)
        bits = None if positions is None else lambda: out[positions]
        base = self.base.values_at(record.layout.start(number), out.size, positions, bits)
        if record.parameter:
            section = memoryview(record.parameter + section)
        codec = value_codec_by_id(record.kind.value_codec)
        offset, dtype = entry.values_offset, record.spec.dtype
        values = codec.decode(section, dtype, entry.count, base, offset)
        if values.size != entry.count:
            raise CorruptError("values", offset, f"{values.size} values, expected {entry.count}")
        return values
