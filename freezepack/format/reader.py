"""Opening a pack: everything but the sections is read and checked at once."""

import os
import zlib
from types import TracebackType

from freezepack.errors import CorruptError, FormatError
from freezepack.format.coded.cursors import CodedCursor
from freezepack.format.constants import FEATURE_PARTIAL
from freezepack.format.cursor import Cursor
from freezepack.format.preamble import Preamble, read_checked, read_features, read_preamble
from freezepack.format.read_tables import read_bases_and_kinds, read_metadata
from freezepack.format.read_tensors import TensorTable
from freezepack.format.runs import Run
from freezepack.format.source import BytesSource, FileSource, Source
from freezepack.format.tables import Header, TensorRecord


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
            preamble = read_preamble(self._source)
            checked = read_checked(self._source, preamble)
            self.header = read_header(preamble, checked[: preamble.header_length])
        except BaseException:
            self.close()
            raise
        self._payload_offset = preamble.payload_offset
        self._payload = checked[preamble.header_length :] if preamble.one_checksum else None

    def sections(self, record: TensorRecord, unit: int) -> tuple[memoryview, memoryview]:
        """Return the index and value bytes of a unit, after its checksum was compared.

        Raises
        ------
        TruncatedError, CorruptError
            If the file has become shorter, or the checksum does not match.
        """
        entry = record.unit(unit)
        try:
            data = self._read(entry.index_offset, entry.length, entry.checksum)
        except FormatError as error:
            raise error.of(record.spec.name) from None
        return data[: entry.index_length], data[entry.index_length :]

    def run_section(self, run: Run) -> memoryview:
        """Return the bytes that the tensors of a run share, after their checksum was compared.

        Raises
        ------
        TruncatedError, CorruptError
            As for `sections`.
        """
        try:
            return self._read(run.offset, run.length, run.checksum)
        except FormatError as error:
            raise error.of(run.names[0]) from None

    def expect_all(self) -> None:
        """Say that all sections will be read soon, so that a cold file is read ahead."""
        if self._payload is None:
            length = self.header.file_size - self._payload_offset
            self._source.expect(self._payload_offset, length)

    def _read(self, offset: int, length: int, checksum: int | None) -> memoryview:
        if self._payload is not None:
            return self._payload[offset - self._payload_offset :][:length]
        data = self._source.read(offset, length, "index")
        if checksum is not None and zlib.crc32(data) != checksum:
            problem = f"found {checksum:08x}, computed {zlib.crc32(data):08x}: the file is damaged"
            raise CorruptError("unit_checksum", offset, problem)
        return data

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


def read_header(preamble: Preamble, body: memoryview) -> Header:
    """Read and check the header, whose bytes are `body`, in specification order."""
    if not preamble.coded:
        return read_fields(Cursor(body, preamble.length), preamble, preamble.features)
    cursor = CodedCursor(body, preamble.length, preamble.file_size)
    return read_fields(cursor, preamble, read_features(cursor))


def read_fields(cursor: Cursor, preamble: Preamble, features: int) -> Header:
    """Read and check all fields from the metadata on."""
    marks = {"preamble": preamble.length}
    metadata = read_metadata(cursor)
    marks["metadata"] = cursor.reached
    bases, kinds = read_bases_and_kinds(cursor)
    marks["kinds"] = cursor.reached
    table = TensorTable(cursor, bases, kinds, preamble.payload_offset, preamble.one_checksum)
    table.read()
    cursor.end_fields()
    marks["tensors"] = cursor.reached
    digest = table.read_digests()
    marks["digests"] = cursor.reached
    _check_end(cursor, preamble, table)
    return Header(
        metadata,
        bases,
        kinds,
        table.tensors,
        table.aliases,
        table.runs.runs(),
        partial=bool(features & FEATURE_PARTIAL),
        coded=preamble.coded,
        digest=digest,
        file_size=preamble.file_size,
        sizes=_part_sizes(marks, table),
    )


def _check_end(cursor: Cursor, preamble: Preamble, table: TensorTable) -> None:
    if cursor.left:
        problem = f"{cursor.left} bytes behind the last field of the header"
        raise CorruptError("header", cursor.offset, problem)
    if table.next_section != preamble.file_size:
        sections = table.next_section - preamble.payload_offset
        problem = f"the sections have {sections} bytes, expected {preamble.payload_length}"
        raise CorruptError("payload", preamble.payload_offset, problem)


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
    return 0 if record.explicit_units is None else record.explicit_units.index_bytes
