"""Reading what a record says of its units: counts, section lengths, checksums."""

from dataclasses import dataclass

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.codecs.base import IndexCodec, ValueCodec
from freezepack.errors import CorruptError
from freezepack.format.cursor import Cursor
from freezepack.format.layout import layout_of
from freezepack.format.tables import Kind, UnitEntry
from freezepack.types import DType, TensorSpec


def read_units(
    cursor: Cursor, spec: TensorSpec, kind: Kind, start: int, one_checksum: bool
) -> tuple[tuple[UnitEntry, ...] | None, int, int]:
    """Read the units of one tensor whose sections begin at `start` in the file.

    Returns
    -------
    units : tuple of UnitEntry, or None
        None if the table stores nothing for any unit, because all follows from the kind. A
        record may then have any number of units, and nothing here is done for each.
    trained : int
        Trained positions of the tensor.
    nbytes : int
        Bytes of all its sections.
    """
    reader = _UnitReader(
        cursor,
        index_codec_by_id(kind.index_codec),
        value_codec_by_id(kind.value_codec),
        kind.dtype,
        one_checksum,
    )
    implicit = reader.implicit(spec.size)
    if implicit is not None:
        return None, *implicit
    layout = layout_of(spec.shape)
    if layout.units > cursor.left:
        problem = f"{cursor.left} header bytes left for {layout.units} units"
        raise CorruptError("units", cursor.offset, problem)
    units = []
    section = start
    for number in range(layout.units):
        units.append(reader.read(layout.unit_size(number), section))
        section = units[-1].end
    return tuple(units), sum(unit.count for unit in units), section - start


@dataclass(frozen=True, slots=True)
class _UnitReader:
    cursor: Cursor
    index: IndexCodec
    values: ValueCodec
    dtype: DType
    one_checksum: bool

    def implicit(self, size: int) -> tuple[int, int] | None:
        """Return trained count and bytes of a tensor whose units store nothing, else None."""
        if self.index.name == "none":
            return 0, 0
        if self.index.name != "all" or not size:
            return None
        length = self.values.fixed_length(self.dtype, size)
        if length is None or (length and not self.one_checksum):
            return None
        return size, length

    def read(self, size: int, section: int) -> UnitEntry:
        """Read one unit of `size` positions; its sections begin at `section`."""
        count = size if self.index.name == "all" else self._read_count(size)
        index_length = values_length = 0
        if 0 < count < size:
            index_length = self._length(self.index.fixed_length(size, count), "index_length")
        if count:
            values_length = self._length(
                self.values.fixed_length(self.dtype, count), "values_length"
            )
        checksum = None
        if not self.one_checksum and index_length + values_length:
            checksum = self.cursor.unsigned(4, "unit_checksum")
        return UnitEntry(count, section, index_length, values_length, checksum)

    def _length(self, fixed: int | None, field: str) -> int:
        return self.cursor.varint(field) if fixed is None else fixed

    def _read_count(self, size: int) -> int:
        offset = self.cursor.offset
        count = self.cursor.varint("count")
        if count > size:
            problem = f"{count} trained positions in a unit of {size}"
            raise CorruptError("count", offset, problem)
        return count
