"""Files put together by hand, field by field, so that any field can be wrong.

This shares nothing with freezepack.format: what it says about the format it says on its own.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

SMALL_PAYLOAD = 65_536


def varint(value: int) -> bytes:
    """Return unsigned LEB128."""
    out = b""
    while value > 127:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def u32(value: int) -> bytes:
    """Return four bytes, little-endian."""
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    """Return eight bytes, little-endian."""
    return value.to_bytes(8, "little")


def text(value: bytes) -> bytes:
    """Return bytes behind their length."""
    return varint(len(value)) + value


@dataclass
class Assembly:
    """Fields of a header by name, and the payload; lengths and checksum follow from them.

    Attributes
    ----------
    preamble : dict of str to bytes
        Fields of the preamble that shall differ from what follows from the rest.
    code : callable or None
        Codes the fields of the header, for a file whose header is coded.
    """

    header: list[tuple[str, bytes]]
    payload: bytes = b""
    preamble: dict[str, bytes] = field(default_factory=dict)
    trailing: bytes = b""
    code: Callable[["Assembly"], bytes] | None = None

    def place(self, name: str, nth: int = 0) -> int:
        """Return where in `header` field `name` stands for the `nth` time."""
        return [place for place, (known, _) in enumerate(self.header) if known == name][nth]

    def replace(self, name: str, data: bytes, nth: int = 0) -> "Assembly":
        """Give a field other bytes."""
        self.header[self.place(name, nth)] = (name, data)
        return self

    def insert(self, name: str, fields: list[tuple[str, bytes]], nth: int = 0) -> "Assembly":
        """Insert fields before the `nth` field `name`."""
        place = self.place(name, nth)
        self.header[place:place] = fields
        return self

    def remove(self, name: str, nth: int = 0) -> "Assembly":
        """Leave a field out."""
        del self.header[self.place(name, nth)]
        return self

    def fields(self) -> list[tuple[str, bytes]]:
        """Return all fields before the payload, in file order; a coded header is one field."""
        if self.code is not None:
            return self._coded_fields(self.code(self))
        body = b"".join(data for _, data in self.header)
        names = {
            "magic": b"\x89FPK",
            "version": b"\x01",
            "features": b"\x00",
            "header_length": varint(len(body)),
            "payload_length": varint(len(self.payload)),
        }
        names.update(self.preamble)
        covered = b"".join(names[name] for name in names if name != "checksum") + body
        if len(self.payload) <= SMALL_PAYLOAD:
            covered += self.payload
        names.setdefault("checksum", u32(zlib.crc32(covered)))
        return [*names.items(), *self.header]

    def _coded_fields(self, header: bytes) -> list[tuple[str, bytes]]:
        names = {"magic": b"\x89FPK", "version": b"\x81", "header_length": varint(len(header))}
        names.update(self.preamble)
        covered = b"".join(names[name] for name in names if name != "checksum")
        names.setdefault("checksum", u32(zlib.crc32(covered + header + self.payload)))
        return [*names.items(), ("header", header)]

    def bytes(self) -> bytes:
        """Return the file."""
        return b"".join(data for _, data in self.fields()) + self.payload + self.trailing

    def offset(self, name: str, nth: int = 0) -> int:
        """Return where in the file the `nth` field `name` begins; the payload is a field too."""
        start, seen = 0, 0
        fields = self.fields()
        if self.code is not None and name not in {known for known, _ in fields} | {"payload"}:
            name, nth = "header", 0  # the fields of a coded header have its offset
        for known, data in fields:
            if known == name:
                if seen == nth:
                    return start
                seen += 1
            start += len(data)
        if name in ("payload", "header"):
            return start
        raise KeyError(name)
