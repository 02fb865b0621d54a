"""Reading metadata, bases and kinds: the tables before the tensors, in specification order."""

from collections.abc import Callable
from typing import TypeVar

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.errors import CorruptError, FreezepackError, VersionError
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
T = TypeVar("T")


def read_metadata(cursor: Cursor) -> dict[str, str]:
    """Read the metadata table: keys with a number first, ascending, then free keys by UTF-8."""
    count = cursor.varint("metadata_count", MAX_METADATA)
    metadata: dict[str, str] = {}
    last: tuple[int, bytes] = (0, b"")
    for _ in range(count):
        offset = cursor.offset
        number = cursor.varint("metadata_key")
        if number and number not in METADATA_KEYS:
            raise VersionError("metadata_key", offset, f"unknown key number {number}")
        key = METADATA_KEYS[number] if number else cursor.text("metadata_key")
        if not number and (not key or key in METADATA_KEYS.values()):
            raise CorruptError("metadata_key", offset, f"the free key {key!r} is not allowed")
        rank = (number or len(METADATA_KEYS) + 1, b"" if number else key.encode())
        if rank <= last:
            raise CorruptError("metadata_key", offset, f"{key!r} is not in ascending order")
        last = rank
        metadata[key] = cursor.text("metadata_value")
    return metadata


def read_bases(cursor: Cursor) -> tuple[Base, ...]:
    """Read the base table; entries are unique."""
    bases: list[Base] = []
    for _ in range(cursor.varint("base_count", MAX_BASES)):
        offset = cursor.offset
        base = _read_base(cursor)
        if base in bases:
            raise CorruptError("base_kind", offset, "the same base is listed twice")
        bases.append(base)
    return tuple(bases)


def _read_base(cursor: Cursor) -> Base:
    kind = _known(cursor, "base_kind", BaseKind)
    if kind == BaseKind.seed:
        return SeedBase(cursor.varint("base_seed", MAX_SEED))
    digest = cursor.unsigned(8, "base_digest")
    hint = cursor.text("base_hint")
    return FileBase(digest, hint) if kind == BaseKind.file else PackBase(digest, hint)


def read_kinds(cursor: Cursor, bases: tuple[Base, ...]) -> tuple[Kind, ...]:
    """Read the kind table; entries are unique."""
    kinds: list[Kind] = []
    for _ in range(cursor.varint("kind_count", MAX_KINDS)):
        offset = cursor.offset
        kind = _read_kind(cursor, bases)
        if kind in kinds:
            raise CorruptError("dtype", offset, "the same kind is listed twice")
        kinds.append(kind)
    return tuple(kinds)


def _read_kind(cursor: Cursor, bases: tuple[Base, ...]) -> Kind:
    dtype = _known(cursor, "dtype", DType)
    base = _reference(cursor, "kind_base", len(bases))
    draw = None
    if base and isinstance(bases[base - 1], SeedBase):
        offset = cursor.offset
        draw = _known(cursor, "draw", Draw)
        if not dtype.is_floating:
            problem = f"{dtype.name} cannot be drawn from a seed, expected a floating type"
            raise CorruptError("draw", offset, problem)
    offset = cursor.offset
    flags = cursor.varint("kind_flags")
    if flags & ~KNOWN_KIND_FLAGS:
        raise VersionError("kind_flags", offset, f"unknown flags 0x{flags:x}")
    explicit_stream = bool(flags & KIND_EXPLICIT_STREAM)
    index_codec = _codec(cursor, "index_codec", lambda number: index_codec_by_id(number).id)
    mask_base = 0
    if index_codec_by_id(index_codec).needs_seed:
        offset = cursor.offset
        mask_base = _reference(cursor, "mask_base", len(bases))
        if not mask_base or not isinstance(bases[mask_base - 1], SeedBase):
            raise CorruptError("mask_base", offset, f"base {mask_base} is not a seed")
    if explicit_stream and draw is None and not mask_base:
        raise CorruptError("kind_flags", offset, "a stream number where nothing is drawn")
    value_codec = _codec(cursor, "value_codec", lambda number: value_codec_by_id(number).id)
    return Kind(dtype, base, draw, explicit_stream, index_codec, mask_base, value_codec)


def _known(cursor: Cursor, field: str, ids: Callable[[int], T]) -> T:
    """Read a number of a closed list."""
    offset = cursor.offset
    number = cursor.varint(field)
    try:
        return ids(number)
    except ValueError:
        raise VersionError(field, offset, f"unknown number {number}") from None


def _codec(cursor: Cursor, field: str, lookup: Callable[[int], int]) -> int:
    """Read the number of a codec that this reader has."""
    offset = cursor.offset
    number = cursor.varint(field)
    try:
        return lookup(number)
    except (FreezepackError, LookupError):
        raise VersionError(field, offset, f"unknown number {number}") from None


def _reference(cursor: Cursor, field: str, entries: int) -> int:
    """Read the number of a table entry: 0 for none, else from 1."""
    offset = cursor.offset
    number = cursor.varint(field)
    if number > entries:
        raise CorruptError(field, offset, f"entry {number} of a table with {entries} entries")
    return number
