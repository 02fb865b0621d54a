"""The fixed beginning of a file: magic, version, features, lengths, checksum."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from freezepack.errors import CorruptError, NotFreezepackError, TruncatedError, VersionError
from freezepack.format.constants import (
    KNOWN_FEATURES,
    MAGIC,
    MAX_CODED,
    MAX_HEADER,
    SMALL_PAYLOAD,
    VERSION,
    VERSION_CODED,
)
from freezepack.format.cursor import Cursor, varint_bytes
from freezepack.format.source import Source

LONGEST_PREAMBLE = len(MAGIC) + 1 + 3 * 10 + 4


@dataclass(frozen=True, slots=True)
class Preamble:
    """What stands before the header body."""

    features: int
    header_length: int
    payload_length: int
    checksum: int
    length: int
    """Bytes of the preamble itself, the checksum included."""
    coded: bool = False
    """Whether the header is coded; then the features are its first field, and 0 here."""

    @property
    def payload_offset(self) -> int:
        """Offset of the first section."""
        return self.length + self.header_length

    @property
    def file_size(self) -> int:
        """Bytes of the whole file."""
        return self.payload_offset + self.payload_length

    @property
    def one_checksum(self) -> bool:
        """Whether `checksum` covers the whole file and not the header alone."""
        return self.payload_length <= SMALL_PAYLOAD


def read_preamble(source: Source) -> Preamble:
    """Read the preamble and check it against the size of the file, but not the checksum.

    Raises
    ------
    NotFreezepackError, VersionError, TruncatedError, CorruptError, LimitError
        In the order of the fields; see formats/freezepack-1.md, section "Preamble".
    """
    start = source.read(0, min(source.size, LONGEST_PREAMBLE), "magic")
    cursor = Cursor(start, 0)
    _read_magic(cursor, bytes(start[: len(MAGIC)]))
    version = cursor.unsigned(1, "version")
    if version == VERSION_CODED:
        return _read_coded(cursor, source.size)
    if version != VERSION:
        problem = f"found version {version}, this reader knows 1; a newer freezepack may read it"
        raise VersionError("version", len(MAGIC), problem)
    features = read_features(cursor)
    header_length = cursor.varint("header_length", MAX_HEADER)
    payload_length = cursor.varint("payload_length")
    checksum = cursor.unsigned(4, "checksum")
    preamble = Preamble(features, header_length, payload_length, checksum, cursor.offset)
    _check_size(preamble, source.size)
    return preamble


def _read_coded(cursor: Cursor, size: int) -> Preamble:
    """Read the rest of the preamble before a coded header; the payload ends with the file."""
    header_length = cursor.varint("header_length", MAX_CODED)
    checksum = cursor.unsigned(4, "checksum")
    payload_length = max(0, size - cursor.offset - header_length)
    preamble = Preamble(0, header_length, payload_length, checksum, cursor.offset, coded=True)
    _check_size(preamble, size)
    if not preamble.one_checksum:
        problem = f"{payload_length} bytes behind a coded header, expected at most {SMALL_PAYLOAD}"
        raise CorruptError("payload", preamble.payload_offset, problem)
    return preamble


def read_features(cursor: Cursor) -> int:
    """Return the set of required features, all of them known."""
    offset = cursor.offset
    features = cursor.varint("features")
    unknown = features & ~KNOWN_FEATURES
    if unknown:
        problem = f"unknown required features 0x{unknown:x}; a newer freezepack may read it"
        raise VersionError("features", offset, problem)
    return features


def read_checked(source: Source, preamble: Preamble) -> memoryview:
    """Return what `checksum` covers behind the preamble, after comparing it.

    That is the header, and the payload too if the file has one checksum. The bytes are read
    once, so what was checked is what is used, whatever happens to the file meanwhile.
    """
    end = preamble.file_size if preamble.one_checksum else preamble.payload_offset
    body = source.read(preamble.length, end - preamble.length, "header")
    offset = preamble.length - 4
    computed = zlib.crc32(body, zlib.crc32(source.read(0, offset, "checksum")))
    if preamble.checksum != computed:
        problem = f"found {preamble.checksum:08x}, computed {computed:08x}: the file is damaged"
        problem += " or not whole" * preamble.coded
        raise CorruptError("checksum", offset, problem)
    return body


def _read_magic(cursor: Cursor, found: bytes) -> None:
    if found != MAGIC[: len(found)]:
        problem = f"found {found.hex(' ')}, expected {MAGIC.hex(' ')}: not a freezepack file"
        raise NotFreezepackError("magic", 0, problem)
    cursor.take(len(MAGIC), "magic")


def _check_size(preamble: Preamble, size: int) -> None:
    if size < preamble.payload_offset:
        left = size - preamble.length
        problem = f"{left} bytes left, expected {preamble.header_length}"
        raise TruncatedError("header", preamble.length, problem)
    if size < preamble.file_size:
        left = size - preamble.payload_offset
        problem = f"{left} bytes left, expected {preamble.payload_length}"
        raise TruncatedError("payload", preamble.payload_offset, problem)
    if size > preamble.file_size:
        problem = f"{size - preamble.file_size} bytes behind the end of the file"
        raise CorruptError("payload", preamble.file_size, problem)


def preamble_bytes(features: int, body: bytes, sections: Iterable[bytes], length: int) -> bytes:
    """Return the preamble for a header `body` and payload `sections` of `length` bytes in all."""
    start = MAGIC + bytes([VERSION]) + varint_bytes(features)
    start += varint_bytes(len(body)) + varint_bytes(length)
    checksum = zlib.crc32(body, zlib.crc32(start))
    if length <= SMALL_PAYLOAD:
        for section in sections:
            checksum = zlib.crc32(section, checksum)
    return start + checksum.to_bytes(4, "little")


def coded_preamble_bytes(header: bytes, sections: Iterable[bytes]) -> bytes:
    """Return the preamble for a coded `header` and its payload."""
    start = MAGIC + bytes([VERSION_CODED]) + varint_bytes(len(header))
    checksum = zlib.crc32(header, zlib.crc32(start))
    for section in sections:
        checksum = zlib.crc32(section, checksum)
    return start + checksum.to_bytes(4, "little")
