"""Opening a pack: everything but the sections is read and checked at once."""

import os
import zlib
from types import TracebackType

from freezepack.errors import CorruptError, FormatError
from freezepack.format.constants import FEATURE_PARTIAL
from freezepack.format.cursor import Cursor
from freezepack.format.preamble import Preamble, read_preamble
from freezepack.format.read_tables import read_bases, read_kinds, read_metadata
from freezepack.format.read_tensors import TensorTable
from freezepack.format.source import BytesSource, FileSource, Source
from freezepack.format.tables import Header, Kind, TensorRecord


class PackReader:
    """A checked header and access to the sections behind it.

    Sections are read when they are asked for. If the payload has at most 65,536 bytes, opening
    has checked all of it; else `sections` checks each unit's own checksum.

    Parameters
    ----------
    source : path, bytes-like or Source
        The file. A path is read piece by piece and never mapped.

    Raises
    ------
    FormatError
        The first rule of the specification that the header breaks, by field and offset.
    """

    def __init__(self, source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> None:
        self._source: Source
        if isinstance(source, bytes | bytearray | memoryview):
            self._source = BytesSource(source)
        else:
            self._source = FileSource(source)
        try:
            self.header = read_header(self._source)
        except BaseException:
            self.close()
            raise

    def sections(self, record: TensorRecord, unit: int) -> tuple[memoryview, memoryview]:
        """Return the index and value bytes of a unit, after its checksum was compared.

        Raises
        ------
        TruncatedError, CorruptError
            If the file has become shorter, or the checksum does not match.
        """
        entry = record.unit(unit)
        length = entry.index_length + entry.values_length
        try:
            data = self._source.read(entry.index_offset, length, "index")
            if entry.checksum is not None and zlib.crc32(data) != entry.checksum:
                problem = (
                    f"unit {unit}: found checksum {entry.checksum:08x}, "
                    f"computed {zlib.crc32(data):08x}: the file is damaged"
                )
                raise CorruptError("unit_checksum", entry.index_offset, problem)
        except FormatError as error:
            raise error.of(record.spec.name) from None
        return data[: entry.index_length], data[entry.index_length :]

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __enter__(self) -> "PackReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_header(source: Source) -> Header:
    """Read and check everything before the payload, in specification order."""
    preamble = read_preamble(source)
    body = source.read(preamble.length, preamble.header_length, "header")
    cursor = Cursor(body, preamble.length)
    marks = {"preamble": preamble.length}
    metadata = read_metadata(cursor)
    marks["metadata"] = cursor.offset
    bases = read_bases(cursor)
    marks["bases"] = cursor.offset
    kinds = read_kinds(cursor, bases)
    _check_bases_used(cursor, len(bases), kinds)
    marks["kinds"] = cursor.offset
    table = TensorTable(cursor, bases, kinds, preamble.payload_offset, preamble.one_checksum)
    table.read()
    marks["tensors"] = cursor.offset
    digest = table.read_digests()
    marks["digests"] = cursor.offset
    _check_end(cursor, preamble, table)
    sizes = _part_sizes(marks, table)
    partial = bool(preamble.features & FEATURE_PARTIAL)
    return Header(
        metadata,
        bases,
        kinds,
        table.tensors,
        table.aliases,
        partial,
        digest,
        preamble.file_size,
        sizes,
    )


def _check_bases_used(cursor: Cursor, bases: int, kinds: tuple[Kind, ...]) -> None:
    """Hold the base table to the order of first use, with nothing left over."""
    used = 0
    for kind in kinds:
        for reference in (kind.base, kind.mask_base):
            if reference > used + 1:
                problem = f"base {reference} is used before base {used + 1}"
                raise CorruptError("kind_base", cursor.offset, problem)
            used = max(used, reference)
    if used != bases:
        problem = f"{used} of {bases} bases are used, expected all"
        raise CorruptError("kind_base", cursor.offset, problem)


def _check_end(cursor: Cursor, preamble: Preamble, table: TensorTable) -> None:
    if cursor.left:
        problem = f"{cursor.left} bytes behind the last field of the header"
        raise CorruptError("header", cursor.offset, problem)
    if table.next_section != preamble.file_size:
        sections = table.next_section - preamble.payload_offset
        problem = f"the sections have {sections} bytes, expected {preamble.payload_length}"
        raise CorruptError("payload_length", preamble.payload_offset, problem)


def _part_sizes(marks: dict[str, int], table: TensorTable) -> dict[str, int]:
    """Return bytes by part of the file."""
    ends = list(marks.values())
    starts = [0, *ends[:-1]]
    sizes = {part: end - start for part, start, end in zip(marks, starts, ends, strict=True)}
    sizes["index"] = sum(_index_bytes(record) for record in table.tensors.values())
    sizes["values"] = sum(record.nbytes for record in table.tensors.values()) - sizes["index"]
    return sizes


def _index_bytes(record: TensorRecord) -> int:
    """Return the bytes of all index sections of a tensor; 0 where units are implicit."""
    return sum(entry.index_length for entry in record.explicit_units or ())
