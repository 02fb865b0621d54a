"""One broken rule, and the changes that break it."""

from collections.abc import Callable
from dataclasses import dataclass

from vector_writer.assemble import Assembly, varint
from vector_writer.bases import plain

Edit = Callable[[Assembly], object]


@dataclass(frozen=True)
class Refusal:
    """One broken rule.

    Attributes
    ----------
    rule : str
        Name of the rule and of the vector.
    kind, field : str
        What a reader reports.
    edit : callable
        Breaks the file.
    nth : int
        Which field of that name it is.
    base : callable
        The correct file.
    at : str
        Field at which the reported offset lies, if not `field`.
    shift : int
        Added to the offset of that field.
    stage : {"open", "load"}
        Whether opening refuses the file, or only making a tensor.
    """

    rule: str
    kind: str
    field: str
    edit: Edit
    nth: int = 0
    base: Callable[[], Assembly] = plain
    at: str = ""
    shift: int = 0
    stage: str = "open"

    def make(self) -> tuple[bytes, int]:
        """Return the file and the offset that a reader reports."""
        assembly = self.base()
        self.edit(assembly)
        return assembly.bytes(), assembly.offset(self.at or self.field, self.nth) + self.shift


def put(name: str, data: bytes | int, nth: int = 0) -> Edit:
    """Give a field of the header other bytes, or another number."""
    stored = varint(data) if isinstance(data, int) else data
    return lambda assembly: assembly.replace(name, stored, nth)


def head(name: str, data: bytes) -> Edit:
    """Give a field of the preamble other bytes."""
    return lambda assembly: assembly.preamble.update({name: data})


def insert(name: str, fields: list[tuple[str, bytes]], nth: int = 0) -> Edit:
    """Insert fields before a field."""
    return lambda assembly: assembly.insert(name, fields, nth)


def remove(name: str, nth: int = 0) -> Edit:
    """Leave a field out."""
    return lambda assembly: assembly.remove(name, nth)


def cut(name: str, nth: int = 0) -> Edit:
    """End the header before a field."""

    def edit(assembly: Assembly) -> None:
        del assembly.header[assembly.place(name, nth) :]

    return edit


def append(data: bytes) -> Edit:
    """Add bytes behind the last field of the header."""
    return lambda assembly: assembly.header.append(("trailing", data))


def payload(start: int, data: bytes, stop: int | None = None) -> Edit:
    """Replace bytes `start` to `stop` of the payload."""

    def edit(assembly: Assembly) -> None:
        old = assembly.payload
        assembly.payload = old[:start] + data + (b"" if stop is None else old[stop:])

    return edit


def trailing(data: bytes) -> Edit:
    """Add bytes behind the payload."""
    return lambda assembly: setattr(assembly, "trailing", data)


def both(*edits: Edit) -> Edit:
    """Make several changes, one after another."""

    def edit(assembly: Assembly) -> None:
        for each in edits:
            each(assembly)

    return edit


def keep_lengths(edit: Edit) -> Edit:
    """Change the file, but leave the lengths of before in the preamble."""

    def whole(assembly: Assembly) -> None:
        fields = dict(assembly.fields())
        for name in ("header_length", "payload_length"):
            assembly.preamble[name] = fields[name]
        edit(assembly)

    return whole
