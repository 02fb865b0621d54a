"""Taking files apart by field, and putting them together with lengths and checksum repaired."""

import zlib
from dataclasses import dataclass
from unittest import mock

from freezepack.format import preamble, reader
from freezepack.format.constants import MAX_LENGTH, SMALL_PAYLOAD
from freezepack.format.cursor import Cursor, varint_bytes
from freezepack.format.reader import PackReader

PREAMBLE = ("magic", "version", "features", "header_length", "payload_length", "checksum")


@dataclass(frozen=True)
class Field:
    """One field of a header, as it stands in the file."""

    name: str
    offset: int
    data: bytes


def trace(data: bytes) -> list[Field]:
    """Return the fields of a correct file before its payload."""
    fields: list[Field] = []

    class Tracer(Cursor):
        def varint(self, field: str, limit: int = MAX_LENGTH) -> int:
            begin = self.offset
            value = super().varint(field, limit)
            self.note(field, begin, varint_bytes(value))
            return value

        def take(self, count: int, field: str, start: int | None = None) -> bytes:
            begin = self.offset if start is None else start
            piece = super().take(count, field, start)
            self.note(field, begin, piece)
            return piece

        def note(self, field: str, begin: int, piece: bytes) -> None:
            if fields and (fields[-1].name, fields[-1].offset) == (field, begin):
                fields[-1] = Field(field, begin, fields[-1].data + piece)
            elif piece:
                fields.append(Field(field, begin, piece))

    with mock.patch.object(reader, "Cursor", Tracer), mock.patch.object(preamble, "Cursor", Tracer):
        PackReader(data)
    return fields


def take_apart(data: bytes) -> tuple[bytes, list[Field], bytes]:
    """Return the features, the fields of the header behind the preamble, and the payload."""
    fields = trace(data)
    header = [field for field in fields if field.name not in PREAMBLE]
    return fields[2].data, header, data[sum(len(field.data) for field in fields) :]


def seal(header: bytes, payload: bytes, features: bytes = b"\0") -> bytes:
    """Return a file whose lengths and checksum are right, whatever the rest is."""
    start = b"\x89FPK\x01" + features + varint_bytes(len(header)) + varint_bytes(len(payload))
    covered = start + header + (payload if len(payload) <= SMALL_PAYLOAD else b"")
    return start + zlib.crc32(covered).to_bytes(4, "little") + header + payload


def seal_coded(stream: bytes, payload: bytes, digest: bytes = bytes(8)) -> bytes:
    """Return a file with a coded header whose length and checksum are right."""
    header = stream + digest
    start = b"\x89FPK\x81" + varint_bytes(len(header))
    covered = zlib.crc32(start + header + payload)
    return start + covered.to_bytes(4, "little") + header + payload


def take_coded_apart(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the stream of a coded header, the digest and the payload."""
    sizes = PackReader(data).header.sizes
    start = sizes["preamble"]
    end = start + sizes["metadata"] + sizes["kinds"] + sizes["tensors"]
    return data[start:end], data[end : end + 8], data[end + 8 :]
