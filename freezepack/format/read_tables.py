"""Reading metadata, bases and kinds: the tables before the tensors, in specification order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.errors import CorruptError, VersionError
from freezepack.format.constants import (
    KIND_EXPLICIT_STREAM,
    KNOWN_KIND_FLAGS,
    MAX_BASES,
    MAX_KINDS,
    MAX_METADATA,
    METADATA_KEYS,
    BaseKind,
)
from freezepack.format.cursor import Cursor
from freezepack.format.tables import Kind
from freezepack.types import Base, Draw, DType, FileBase, PackBase, SeedBase

MAX_SEED = (1 << 64) - 1
_KEYS = {0: "", **METADATA_KEYS}
T = TypeVar("T")


def read_metadata(cursor: Cursor) -> dict[str, str]:
    """Read the metadata table: keys with a number first, ascending, then free keys by UTF-8."""
    count = cursor.varint("metadata_count", MAX_METADATA)
    metadata: dict[str, str] = {}
    last: tuple[int, bytes] = (0, b"")
    for _ in range(count):
        field, offset = "metadata_key", cursor.offset
        number, key = _number(cursor, field, lambda n: (n, _KEYS[n]))
        if not number:
            field, offset = "free_key", cursor.offset
            key = cursor.text(field)
            if not key or key in METADATA_KEYS.values():
                raise CorruptError(field, offset, f"the free key {key!r} is not allowed")
        place = (number, b"") if number else (len(_KEYS), key.encode())
        if place <= last:
            problem = f"{key!r} after a key that comes later, or the same: keys must ascend"
            raise CorruptError(field, offset, problem)
        last = place
        metadata[key] = cursor.text("metadata_value")
    return metadata


def read_bases_and_kinds(cursor: Cursor) -> tuple[tuple[Base, ...], tuple[Kind, ...]]:
    """Read the base table and the kind table, and hold them to the order of first use."""
    offset = cursor.offset
    table = _BaseTable(_read_bases(cursor))
    kinds = _read_kinds(cursor, table)
    if table.named != len(table.entries):
        problem = f"kinds name {table.named} of {len(table.entries)} bases, expected all"
        raise CorruptError("base_count", offset, problem)
    return table.entries, kinds


@dataclass
class _BaseTable:
    entries: tuple[Base, ...]
    named: int = 0
    """Entries that kinds have named so far; they must name them in order."""

    def read_number(self, cursor: Cursor, field: str) -> int:
        """Read the number of an entry: 0 for none, else from 1."""
        offset = cursor.offset
        number = cursor.varint(field)
        if number > len(self.entries):
            problem = f"base {number} of a table with {len(self.entries)} entries"
            raise CorruptError(field, offset, problem)
        if number > self.named + 1:
            problem = f"base {number} is named before base {self.named + 1}"
            raise CorruptError(field, offset, problem)
        self.named = max(self.named, number)
        return number

    def is_seed(self, number: int) -> bool:
        return number > 0 and isinstance(self.entries[number - 1], SeedBase)


def _read_bases(cursor: Cursor) -> tuple[Base, ...]:
    bases: dict[Base, None] = {}
    for _ in range(cursor.varint("base_count", MAX_BASES)):
        offset = cursor.offset
        base = _read_base(cursor)
        if base in bases:
            raise CorruptError("base_kind", offset, "the same base is listed twice")
        bases[base] = None
    return tuple(bases)


def _read_base(cursor: Cursor) -> Base:
    kind = _number(cursor, "base_kind", BaseKind)
    if kind == BaseKind.seed:
        return SeedBase(cursor.varint("base_seed", MAX_SEED))
    digest = cursor.unsigned(8, "base_digest")
    hint = cursor.text("base_hint")
    return FileBase(digest, hint) if kind == BaseKind.file else PackBase(digest, hint)


def _read_kinds(cursor: Cursor, bases: _BaseTable) -> tuple[Kind, ...]:
    kinds: dict[Kind, None] = {}
    for _ in range(cursor.varint("kind_count", MAX_KINDS)):
        offset = cursor.offset
        kind = _read_kind(cursor, bases)
        if kind in kinds:
            raise CorruptError("dtype", offset, "the same kind is listed twice")
        kinds[kind] = None
    return tuple(kinds)


def _read_kind(cursor: Cursor, bases: _BaseTable) -> Kind:
    dtype = _number(cursor, "dtype", DType)
    base = bases.read_number(cursor, "kind_base")
    draw = _read_draw(cursor, dtype) if bases.is_seed(base) else None
    flags_offset = cursor.offset
    flags = cursor.varint("kind_flags")
    if flags & ~KNOWN_KIND_FLAGS:
        raise VersionError("kind_flags", flags_offset, f"unknown flags 0x{flags:x}")
    index = _number(cursor, "index_codec", index_codec_by_id)
    mask_base = 0
    if index.needs_seed:
        offset = cursor.offset
        mask_base = bases.read_number(cursor, "mask_base")
        if not bases.is_seed(mask_base):
            raise CorruptError("mask_base", offset, f"base {mask_base} is not a seed")
    if flags and draw is None and not mask_base:
        raise CorruptError("kind_flags", flags_offset, "a stream number where nothing is drawn")
    offset = cursor.offset
    values = _number(cursor, "value_codec", value_codec_by_id)
    if index.name == "none" and values.name != "raw":
        problem = f"found {values.name} where nothing is trained, expected raw"
        raise CorruptError("value_codec", offset, problem)
    if index.shared and values.name != "grid":
        problem = f"found {values.name} with {index.name}, expected grid"
        raise CorruptError("value_codec", offset, problem)
    explicit_stream = bool(flags & KIND_EXPLICIT_STREAM)
    return Kind(dtype, base, draw, explicit_stream, index.id, mask_base, values.id)


def _read_draw(cursor: Cursor, dtype: DType) -> Draw:
    offset = cursor.offset
    draw = _number(cursor, "draw", Draw)
    if not dtype.is_floating:
        problem = f"{dtype.name} cannot be drawn from a seed, expected a floating type"
        raise CorruptError("draw", offset, problem)
    return draw


def _number(cursor: Cursor, field: str, lookup: Callable[[int], T]) -> T:
    """Read a number of a closed list and return what it stands for."""
    offset = cursor.offset
    number = cursor.varint(field)
    try:
        return lookup(number)
    except (ValueError, LookupError):
        problem = f"unknown number {number}; a newer freezepack may read it"
        raise VersionError(field, offset, problem) from None
