"""Encoded tensors to the bytes of a file; the same input gives the same bytes."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.digest import content_digest
from freezepack.format.constants import (
    FEATURE_PARTIAL,
    KIND_EXPLICIT_STREAM,
    MAX_TEXT,
    METADATA_KEYS,
    SMALL_MODEL,
    SMALL_PAYLOAD,
    BaseKind,
)
from freezepack.format.cursor import text_bytes, varint_bytes
from freezepack.format.layout import layout_of
from freezepack.format.names import check_name, encode_name
from freezepack.format.preamble import preamble_bytes
from freezepack.format.tables import Kind
from freezepack.types import Base, Draw, Init, SeedBase, TensorSpec, ZerosBase


@dataclass(frozen=True, slots=True)
class EncodedUnit:
    """Count and sections of one unit."""

    count: int
    index: bytes = b""
    values: bytes = b""


@dataclass(frozen=True, slots=True)
class EncodedTensor:
    """One tensor, ready to be written.

    Attributes
    ----------
    init : Init or None
        How the base is drawn; with a base other than a seed only its stream counts, for masks
        that come from a seed.
    mask_seed : SeedBase or None
        Key of an index codec that takes its mask from a seed.
    parameter : bytes
        What the value codec keeps in the record.
    units : tuple of EncodedUnit
        One for each unit of the layout, none for an empty tensor.
    digest : int
        Digest of the rebuilt tensor.
    """

    spec: TensorSpec
    base: Base
    init: Init | None
    index_codec: int
    value_codec: int
    units: tuple[EncodedUnit, ...]
    digest: int
    mask_seed: SeedBase | None = None
    parameter: bytes = b""


@dataclass(frozen=True, slots=True)
class EncodedPack:
    """A whole file, ready to be written.

    Attributes
    ----------
    tensors : sequence of EncodedTensor
        In any order; the file is in UTF-8 order of names.
    aliases : mapping of str to str
        Tied names to the name that owns the bytes, which must come first in UTF-8 order.
    metadata : mapping of str to str
        Keys of `METADATA_KEYS` and free ones.
    partial : bool
        Marks a file that holds only some tensors of a model.
    """

    tensors: Sequence[EncodedTensor]
    aliases: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False


Entry = TypeVar("Entry")


class _Table(list[Entry]):
    """Entries in order of first use, numbered from 1."""

    def number(self, entry: Entry) -> int:
        if entry not in self:
            self.append(entry)
        return self.index(entry) + 1


def write_pack(pack: EncodedPack) -> list[bytes]:
    """Return the pieces of the file, in order: preamble, header body, sections.

    Raises
    ------
    FormatError, ValueError
        If a name, a text or a table is beyond the limits of the specification.
    """
    tensors = sorted(pack.tensors, key=lambda tensor: tensor.spec.name.encode())
    sections = [
        section for t in tensors for unit in t.units for section in (unit.index, unit.values)
    ]
    length = sum(map(len, sections))
    one_checksum = length <= SMALL_PAYLOAD
    bases: _Table[Base] = _Table()
    kinds: _Table[Kind] = _Table()
    records = b"".join(_records(tensors, pack.aliases, bases, kinds, one_checksum))
    body = _metadata_bytes(pack.metadata)
    body += varint_bytes(len(bases)) + b"".join(map(_base_bytes, bases))
    body += varint_bytes(len(kinds)) + b"".join(map(_kind_bytes, kinds))
    body += varint_bytes(len(tensors) + len(pack.aliases)) + records
    body += _digest_bytes(tensors, one_checksum)
    features = FEATURE_PARTIAL if pack.partial else 0
    return [preamble_bytes(features, body, sections, length), body, *filter(None, sections)]


def _records(
    tensors: Sequence[EncodedTensor],
    aliases: Mapping[str, str],
    bases: _Table[Base],
    kinds: _Table[Kind],
    one_checksum: bool,
) -> Iterator[bytes]:
    """Yield the records in file order; fill the tables in order of first use."""
    by_name = {tensor.spec.name: tensor for tensor in tensors}
    names = sorted([*by_name, *aliases], key=str.encode)
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice")
    stream, previous = 0, ""
    for name in names:
        check_name(name)
        spelled = encode_name(name, previous)
        previous = name
        if name in by_name:
            tensor = by_name[name]
            kind = _kind_of(tensor, stream, bases)
            yield varint_bytes(kinds.number(kind)) + spelled
            yield _tensor_bytes(tensor, kind, one_checksum)
            stream += 1
        else:
            target = names.index(aliases[name])
            if target >= names.index(name) or aliases[name] not in by_name:
                raise ValueError(f"{name!r} is tied to {aliases[name]!r}, not an earlier tensor")
            yield varint_bytes(0) + spelled + varint_bytes(target)


def _kind_of(tensor: EncodedTensor, stream: int, bases: _Table[Base]) -> Kind:
    """Return the kind of a tensor and enter its bases into the table."""
    base = 0 if isinstance(tensor.base, ZerosBase) else bases.number(tensor.base)
    draw: Draw | None = None
    if isinstance(tensor.base, SeedBase):
        if tensor.init is None:
            raise ValueError(f"{tensor.spec.name!r} has a seed and no draw")
        draw = tensor.init.draw
    mask_base = 0
    if index_codec_by_id(tensor.index_codec).needs_seed:
        if tensor.mask_seed is None:
            raise ValueError(f"{tensor.spec.name!r} has a mask from a seed and no seed")
        mask_base = bases.number(tensor.mask_seed)
    streams = draw is not None or mask_base
    explicit = bool(streams and tensor.init is not None and tensor.init.stream != stream)
    return Kind(
        tensor.spec.dtype,
        base,
        draw,
        explicit,
        tensor.index_codec,
        mask_base,
        tensor.value_codec,
    )


def _tensor_bytes(tensor: EncodedTensor, kind: Kind, one_checksum: bool) -> bytes:
    out = varint_bytes(len(tensor.spec.shape))
    out += b"".join(map(varint_bytes, tensor.spec.shape))
    if kind.draw is not None and tensor.init is not None:
        out += tensor.init.bits.to_bytes(4, "little")
        if kind.draw == Draw.truncated_normal:
            out += tensor.init.tail.to_bytes(4, "little")
    if kind.explicit_stream and tensor.init is not None:
        out += varint_bytes(tensor.init.stream)
    out += tensor.parameter
    layout = layout_of(tensor.spec.shape)
    if len(tensor.units) != layout.units:
        raise ValueError(
            f"{tensor.spec.name!r} has {len(tensor.units)} units, expected {layout.units}"
        )
    for number, unit in enumerate(tensor.units):
        out += _unit_bytes(unit, tensor, layout.unit_size(number), one_checksum)
    return out


def _unit_bytes(unit: EncodedUnit, tensor: EncodedTensor, size: int, one_checksum: bool) -> bytes:
    """Return what the table stores of one unit; nothing where it follows from the kind."""
    index = index_codec_by_id(tensor.index_codec)
    values = value_codec_by_id(tensor.value_codec)
    if index.name == "none":
        return b""
    out = b"" if index.name == "all" else varint_bytes(unit.count)
    if 0 < unit.count < size and index.fixed_length(size, unit.count) is None:
        out += varint_bytes(len(unit.index))
    if unit.count and values.fixed_length(tensor.spec.dtype, unit.count) is None:
        out += varint_bytes(len(unit.values))
    if not one_checksum and (unit.index or unit.values):
        out += zlib.crc32(unit.values, zlib.crc32(unit.index)).to_bytes(4, "little")
    return out


def _metadata_bytes(metadata: Mapping[str, str]) -> bytes:
    """Return the metadata table: numbered keys first, then free keys by UTF-8."""
    numbers = {key: number for number, key in METADATA_KEYS.items()}
    order = sorted(metadata, key=lambda key: (numbers.get(key, len(numbers) + 1), key.encode()))
    out = varint_bytes(len(order))
    for key in order:
        for text in (key, metadata[key]):
            if "\0" in text or len(text.encode()) > MAX_TEXT:
                raise ValueError(f"metadata {key!r} has NUL or more than {MAX_TEXT} bytes")
        if not key:
            raise ValueError("a metadata key is empty")
        out += varint_bytes(numbers[key]) if key in numbers else b"\0" + text_bytes(key)
        out += text_bytes(metadata[key])
    return out


def _base_bytes(base: Base) -> bytes:
    if isinstance(base, SeedBase):
        return varint_bytes(BaseKind.seed) + varint_bytes(base.seed)
    if isinstance(base, ZerosBase):
        raise TypeError("zeros have no entry in the base table")
    kind = BaseKind[type(base).__name__.removesuffix("Base").lower()]
    return varint_bytes(kind) + base.digest.to_bytes(8, "little") + text_bytes(base.hint)


def _kind_bytes(kind: Kind) -> bytes:
    out = varint_bytes(kind.dtype) + varint_bytes(kind.base)
    if kind.draw is not None:
        out += varint_bytes(kind.draw)
    out += varint_bytes(KIND_EXPLICIT_STREAM if kind.explicit_stream else 0)
    out += varint_bytes(kind.index_codec)
    if kind.mask_base:
        out += varint_bytes(kind.mask_base)
    return out + varint_bytes(kind.value_codec)


def _digest_bytes(tensors: Sequence[EncodedTensor], one_checksum: bool) -> bytes:
    if one_checksum and sum(tensor.spec.nbytes for tensor in tensors) <= SMALL_MODEL:
        digest = content_digest((tensor.spec, tensor.digest) for tensor in tensors)
        return digest.to_bytes(8, "little")
    return b"".join(tensor.digest.to_bytes(8, "little") for tensor in tensors)
