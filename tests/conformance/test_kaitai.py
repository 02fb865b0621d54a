"""The Kaitai description finds the same fields in the same places as the reader."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.format.names import ENDINGS, FIRST_ENDING, FIRST_WORD, WORDS
from freezepack.format.reader import PackReader
from freezepack.format.tables import Header, Kind, TensorRecord, UnitEntry
from freezepack.types import Base, SeedBase, ZerosBase
from tests.conformance.kaitai_reader import freezepack_ksy
from tests.conformance.vectors import FORMATS, GOLDEN, golden

Freezepack: Any = vars(freezepack_ksy)["Freezepack"]
FOLDER = Path(__file__).with_name("kaitai_reader")


def test_the_compiled_reader_is_that_of_the_description() -> None:
    """If this fails: node formats/compile_kaitai.js, as formats/README.md says."""
    found = hashlib.sha256((FORMATS / "freezepack.ksy").read_bytes()).hexdigest()
    assert (FOLDER / "SOURCE.sha256").read_text() == f"{found}  formats/freezepack.ksy\n"


@pytest.mark.parametrize("name", GOLDEN)
def test_both_readers_find_the_same(name: str) -> None:
    data, _ = golden(name)
    reader, parsed = PackReader(data), Freezepack.from_bytes(data)
    header = reader.header
    assert parsed._io.is_eof()
    assert parsed.is_coded == header.coded
    if header.coded:
        _compare_coded(parsed, header)
        return
    assert parsed.features.value == int(header.partial)
    assert parsed.header_length.value + parsed.payload_length.value == len(data) - _behind(parsed)
    assert [_metadata(entry) for entry in parsed.header.metadata] == list(header.metadata.items())
    for found, base in zip(parsed.header.bases, header.bases, strict=True):
        _compare_base(found, base)
    for found, kind in zip(parsed.header.kinds, header.kinds, strict=True):
        _compare_kind(found, kind)
    names = _names(parsed)
    assert names == sorted([*header.tensors, *header.aliases], key=str.encode)
    records = zip(names, parsed.header.tensors, parsed.payload.tensors, strict=True)
    for tensor, record, sections in records:
        if record.is_alias:
            assert names[record.alias_target.value] == header.aliases[tensor]
        else:
            _compare_record(record, header.tensors[tensor], header)
            _compare_sections(record, sections, header.tensors[tensor], reader)
    digests = [record.digest for record in header.tensors.values()]
    assert parsed.header.digests == ([header.digest] if header.digest is not None else digests)


def test_the_lists_of_numbers_are_those_of_the_reader() -> None:
    assert index_codec_by_id(2).name == Freezepack.IndexCodec.bitmap.name
    for codec in Freezepack.IndexCodec:
        assert index_codec_by_id(codec).name == codec.name.replace("_", "-")
    for codec in Freezepack.ValueCodec:
        assert value_codec_by_id(codec).name == codec.name


def _compare_coded(parsed: Any, header: Header) -> None:
    assert parsed.coded_header.digest == header.digest
    parts = ("metadata", "kinds", "tensors", "digests")
    assert parsed.header_length.value == sum(header.sizes[part] for part in parts)
    assert len(parsed.sections) == header.sizes["index"] + header.sizes["values"]


def _behind(parsed: Any) -> int:
    """Return the bytes of the preamble: what is neither header nor payload."""
    varints = (parsed.features, parsed.header_length, parsed.payload_length)
    return 4 + 1 + sum(len(number.groups) for number in varints) + 4


def _metadata(entry: Any) -> tuple[str, str]:
    if entry.metadata_key.value:
        return Freezepack.MetadataKey(entry.metadata_key.value).name, entry.metadata_value.value
    return entry.free_key.value, entry.metadata_value.value


def _compare_base(found: Any, base: Base) -> None:
    assert not isinstance(base, ZerosBase)
    if isinstance(base, SeedBase):
        assert (found.kind.name, found.base_seed.value) == ("seed", base.seed)
    else:
        assert found.kind.name == type(base).__name__.removesuffix("Base").lower()
        assert (found.base_digest, found.base_hint.value) == (base.digest, base.hint)


def _compare_kind(found: Any, kind: Kind) -> None:
    assert found.element.name == kind.dtype.name
    assert found.element_size == kind.dtype.itemsize
    assert found.kind_base.value == kind.base
    assert found.is_seeded == (kind.draw is not None)
    if kind.draw is not None:
        assert found.draw_kind.name == kind.draw.name
    assert found.has_stream == kind.explicit_stream
    assert found.index_codec.value == kind.index_codec
    assert (found.mask_base.value if kind.mask_base else 0) == kind.mask_base
    assert found.value_codec.value == kind.value_codec


def _compare_record(found: Any, record: TensorRecord, header: Header) -> None:
    assert header.kinds[found.tensor_kind.value - 1] == record.kind
    assert tuple(number.value for number in found.shape.dimensions) == record.spec.shape
    if record.kind.draw is not None and record.init is not None:
        assert found.scale == record.init.bits
        assert getattr(found, "tail", 0) == record.init.tail
    if record.kind.explicit_stream and record.init is not None:
        assert found.stream.value == record.init.stream
    assert found.value_parameter == record.parameter
    assert found.unit_count == record.layout.units
    joins = (
        record.first_run is not None and record.spec.name != header.runs[record.first_run].names[0]
    )
    assert len(found.units) == (0 if joins else len(record.explicit_units or ()))


def _compare_sections(found: Any, sections: Any, record: TensorRecord, reader: PackReader) -> None:
    units = range(record.layout.units)
    if not found.units:
        whole = b"".join(b"".join(reader.sections(record, unit)) for unit in units)
        assert getattr(sections, "whole", b"") == whole
        return
    for number in units:
        entry: UnitEntry = record.unit(number)
        unit = found.units[number]
        assert unit.positions == record.layout.unit_size(number)
        assert unit.trained == (0 if record.trained is None else entry.count)
        assert getattr(unit, "unit_checksum", None) == entry.checksum
        index, values = reader.sections(record, number)
        assert sections.units[number].index == index
        assert sections.units[number].values == values


def _names(parsed: Any) -> list[str]:
    """Expand the names, which the description leaves spelled."""
    names: list[str] = []
    for record in parsed.header.tensors:
        before = names[-1].encode() if names else b""
        text = before[: record.name.shared.value]
        for piece in record.name.pieces:
            if FIRST_WORD <= piece.code < FIRST_ENDING:
                text += WORDS[piece.code - FIRST_WORD].encode()
            elif FIRST_ENDING <= piece.code < FIRST_ENDING + len(ENDINGS):
                text += ENDINGS[piece.code - FIRST_ENDING].encode()
            elif piece.code:
                text += bytes([piece.code]) + getattr(piece, "following", b"")
        names.append(text.decode())
    return names


def test_the_description_has_no_field_that_the_specification_does_not_name() -> None:
    text = (FORMATS / "freezepack-1.md").read_text(encoding="utf-8")
    own = {"groups", "byte", "length", "value", "code", "following", "shared", "pieces"}
    plural = {"metadata", "bases", "kinds", "tensors", "dimensions", "digests", "header", "payload"}
    own |= plural | {"shape", "whole", "index", "values", "coded_header", "sections"}
    fields = set(re.findall(r"- id: (\w+)", (FORMATS / "freezepack.ksy").read_text()))
    parameters = {"place", "product", "number", "unit", "owner"}
    assert {field for field in fields - own - parameters if f"`{field}`" not in text} == set()
