"""Reading what a record says of its units: counts, section lengths, checksums."""

from array import array
from dataclasses import dataclass

from freezepack.codecs.base import IndexCodec, ValueCodec
from freezepack.errors import CorruptError, LimitError
from freezepack.format.constants import MAX_LENGTH, MAX_UNITS
from freezepack.format.cursor import Cursor
from freezepack.format.layout import Layout
from freezepack.format.tables import UnitTable
from freezepack.types import DType


@dataclass(frozen=True, slots=True)
class UnitReader:
    """Reads the units of tensors of one kind."""

    cursor: Cursor
    index: IndexCodec
    values: ValueCodec
    dtype: DType
    one_checksum: bool

    def read(self, layout: Layout, start: int, before: int) -> tuple[UnitTable | None, int, int]:
        """Read the units of one tensor whose sections begin at `start` in the file.

        `before` is how many units the records before it store.

        Returns
        -------
        units : UnitTable, or None
            None if the table stores nothing for any unit, because all follows from the kind. A
            record may then have any number of units, and nothing here is done for each.
        trained : int
            Trained positions of the tensor.
        nbytes : int
            Bytes of all its sections.
        """
        implicit = self._implicit(layout.size)
        if implicit is not None:
            return None, *implicit
        units = layout.units
        self._check_units(units, before)
        numbers = array("q")
        trained, section = 0, start
        size = layout.unit_positions
        for number in range(units):
            if number == units - 1:
                size = layout.unit_size(number)
            count, index_length, values_length, checksum = self._read_unit(size, section)
            # A file with a section beyond MAX_LENGTH does not open, but other errors come first.
            offset = min(section, MAX_LENGTH)
            numbers.extend((count, offset, index_length, values_length, checksum))
            trained += count
            section += index_length + values_length
        return UnitTable(numbers), trained, section - start

    def read_shared(self, layout: Layout, start: int, before: int) -> tuple[UnitTable, int]:
        """Read the units of a tensor that begins a run, or is more than one.

        Returns
        -------
        units : UnitTable
            Of which nobody knows yet how much is trained: their counts are their sizes.
        nbytes : int
            Bytes of all sections.
        """
        units = layout.units
        self._check_units(units, before)
        numbers = array("q")
        section = start
        for number in range(units):
            length = self.cursor.length("values_length", section)
            checksum = -1
            if length and not self.one_checksum:
                checksum = self.cursor.unsigned(4, "unit_checksum")
            offset = min(section, MAX_LENGTH)
            numbers.extend((layout.unit_size(number), offset, 0, length, checksum))
            section += length
        return UnitTable(numbers), section - start

    def _check_units(self, units: int, before: int) -> None:
        """Hold the units that a tensor stores to the limit, and to the bytes that are left."""
        if before + units > MAX_UNITS:
            problem = f"{before + units} units, expected at most {MAX_UNITS} in a file"
            raise LimitError("units", self.cursor.offset, problem)
        if units > self.cursor.left:
            problem = f"{self.cursor.left} header bytes left for {units} units"
            raise CorruptError("units", self.cursor.offset, problem)

    def _implicit(self, size: int) -> tuple[int, int] | None:
        """Return trained count and bytes of a tensor whose units store nothing, else None."""
        if self.index.name == "none":
            return 0, 0
        if self.index.name != "all" or not size:
            return None
        length = self.values.fixed_length(self.dtype, size)
        if length is None or (length and not self.one_checksum):
            return None
        return size, length

    def _read_unit(self, size: int, start: int) -> tuple[int, int, int, int]:
        """Read count, lengths and checksum of one unit of `size` positions; -1 for no checksum.

        `start` is where its sections begin in the file.
        """
        count = size if self.index.name == "all" else self._read_count(size)
        if not count:
            return 0, 0, 0, -1
        index_length = 0
        if count < size:
            index_length = self._length(self.index.fixed_length(size, count), "index_length", start)
            start += index_length
        fixed = self.values.fixed_length(self.dtype, count)
        values_length = self._length(fixed, "values_length", start)
        if self.one_checksum or not index_length + values_length:
            return count, index_length, values_length, -1
        return count, index_length, values_length, self.cursor.unsigned(4, "unit_checksum")

    def _length(self, fixed: int | None, field: str, start: int) -> int:
        return self.cursor.length(field, start) if fixed is None else fixed

    def _read_count(self, size: int) -> int:
        offset = self.cursor.offset
        count = self.cursor.varint("count")
        if count > size:
            problem = f"{count} trained positions in a unit of {size}"
            raise CorruptError("count", offset, problem)
        return count
