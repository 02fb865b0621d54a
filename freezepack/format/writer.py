"""Encoded tensors to the bytes of a file; the same input gives the same bytes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from freezepack.codecs import index_codec_by_id
from freezepack.digest import content_digest
from freezepack.errors import FormatError
from freezepack.format.coded.cursors import Transcriber
from freezepack.format.constants import (
    DIGEST_BYTES,
    FEATURE_PARTIAL,
    MAX_CODED,
    SMALL_MODEL,
    SMALL_PAYLOAD,
)
from freezepack.format.cursor import varint_bytes
from freezepack.format.names import encode_name, name_problem
from freezepack.format.preamble import (
    coded_preamble_bytes,
    preamble_bytes,
    read_checked,
    read_preamble,
)
from freezepack.format.reader import read_fields, read_header
from freezepack.format.runs import RunCounter
from freezepack.format.source import BytesSource
from freezepack.format.write_tables import KindTables, metadata_bytes
from freezepack.format.write_tensors import EncodedTensor, EncodedUnit, tensor_bytes

__all__ = ["EncodedPack", "EncodedTensor", "EncodedUnit", "write_pack"]


@dataclass(frozen=True, slots=True)
class EncodedPack:
    """A whole file, ready to be written.

    Attributes
    ----------
    tensors : iterable of EncodedTensor
        In any order; the file is in UTF-8 order of names.
    aliases : mapping of str to str
        Tied names to the name that owns the bytes, which must come first in UTF-8 order.
    metadata : mapping of str to str
        Keys of `METADATA_KEYS` and free ones.
    partial : bool
        Marks a file that holds only some tensors of a model.
    coded : bool or None
        Whether the header is coded; None for the smaller file.
    """

    tensors: Iterable[EncodedTensor]
    aliases: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False
    coded: bool | None = None


def write_pack(pack: EncodedPack) -> list[bytes]:
    """Return the pieces of the file, in order: preamble, header, sections.

    What is returned was read back: nothing is written that a reader would refuse to open.

    Raises
    ------
    ValueError
        If the pack breaks a rule or a limit of the specification; the message says which.
    """
    tensors = _in_file_order(pack)
    owned = [tensor for tensor in tensors if isinstance(tensor, EncodedTensor)]
    sections = [
        section
        for tensor in owned
        for unit in tensor.units
        for section in (unit.index, unit.values)
        if section
    ]
    length = sum(map(len, sections))
    one_checksum = length <= SMALL_PAYLOAD
    tables = KindTables()
    records = _record_bytes(tensors, tables, one_checksum)
    header = b"".join(
        [
            metadata_bytes(pack.metadata),
            tables.bytes(),
            varint_bytes(len(tensors)),
            records,
            _digest_bytes(owned, one_checksum),
        ]
    )
    features = FEATURE_PARTIAL if pack.partial else 0
    pieces = [preamble_bytes(features, header, sections, length), header, *sections]
    coded = None
    if pack.coded is not False and one_checksum and len(header) - DIGEST_BYTES <= MAX_CODED:
        coded = _code_header(pieces, sections)
    if coded is None:
        if pack.coded:
            raise ValueError("the header of this pack cannot be coded: it is too large")
        _read_back(pieces, one_checksum)
        return pieces
    if pack.coded is None and sum(map(len, coded)) >= sum(map(len, pieces)):
        return pieces
    _read_back(coded, one_checksum)
    return coded


@dataclass(frozen=True, slots=True)
class _Alias:
    name: str
    target: int


def _in_file_order(pack: EncodedPack) -> list["EncodedTensor | _Alias"]:
    """Return one entry for each record, in UTF-8 order of names."""
    owners = {}
    for tensor in pack.tensors:
        if tensor.spec.name in owners or tensor.spec.name in pack.aliases:
            raise ValueError(f"the name {tensor.spec.name!r} stands twice")
        owners[tensor.spec.name] = tensor
    names = [*owners, *pack.aliases]
    for name in names:
        problem = name_problem(name)
        if problem:
            raise ValueError(problem)
    names.sort(key=str.encode)
    places = {name: place for place, name in enumerate(names)}
    entries: list[EncodedTensor | _Alias] = []
    for name in names:
        if name in owners:
            entries.append(owners[name])
            continue
        owner = pack.aliases[name]
        if owner not in owners or places[owner] > places[name]:
            raise ValueError(f"{name!r} is tied to {owner!r}, expected an earlier tensor")
        entries.append(_Alias(name, places[owner]))
    return entries


def _record_bytes(
    tensors: Iterable["EncodedTensor | _Alias"], tables: KindTables, one_checksum: bool
) -> bytes:
    """Return all records; fill the tables in order of first use."""
    out = []
    stream, previous = 0, ""
    counter = RunCounter()
    for entry in tensors:
        if isinstance(entry, _Alias):
            name = encode_name(entry.name, previous)
            out += [varint_bytes(0), name, varint_bytes(entry.target)]
            previous = entry.name
        else:
            kind = entry.kind(tables, stream)
            name = encode_name(entry.spec.name, previous)
            out += [varint_bytes(tables.number(kind)), name]
            shared = index_codec_by_id(entry.index_codec).shared
            begins = not shared or counter.begins(entry.spec.size)
            out.append(tensor_bytes(entry, kind, one_checksum, begins))
            previous = entry.spec.name
            stream += 1
    return b"".join(out)


def _digest_bytes(tensors: list[EncodedTensor], one_checksum: bool) -> bytes:
    if one_checksum and sum(tensor.spec.nbytes for tensor in tensors) <= SMALL_MODEL:
        digest = content_digest((tensor.spec, tensor.digest) for tensor in tensors)
        return digest.to_bytes(8, "little")
    return b"".join(tensor.digest.to_bytes(8, "little") for tensor in tensors)


def _code_header(pieces: list[bytes], sections: list[bytes]) -> list[bytes] | None:
    """Return the pieces of the same file with a coded header; None if it has several digests."""
    source = BytesSource(b"".join(pieces))
    try:
        preamble = read_preamble(source)
        cursor = Transcriber(pieces[1], preamble.length, preamble.file_size)
        cursor.features(preamble.features)
        read_fields(cursor, preamble, preamble.features)
    except FormatError as error:
        raise ValueError(f"this pack cannot be written: {error}") from error
    header = cursor.finish()
    if header is None or len(header) > MAX_CODED:
        return None
    return [coded_preamble_bytes(header, sections), header, *sections]


def _read_back(pieces: list[bytes], one_checksum: bool) -> None:
    """Open what was written; of a large file only as much as opening reads."""
    source = BytesSource(b"".join(pieces if one_checksum else pieces[:2]))
    source.size = sum(map(len, pieces))
    try:
        preamble = read_preamble(source)
        read_header(preamble, read_checked(source, preamble)[: preamble.header_length])
    except FormatError as error:
        raise ValueError(f"this pack cannot be written: {error}") from error
