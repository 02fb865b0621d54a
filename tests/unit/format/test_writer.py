import time
from dataclasses import replace

import pytest

from freezepack.digest import digest
from freezepack.format.layout import layout_of
from freezepack.format.reader import PackReader
from freezepack.format.writer import EncodedPack, EncodedTensor, EncodedUnit, write_pack
from freezepack.types import Draw, DType, FileBase, Init, SeedBase, TensorSpec, ZerosBase

NONE, ALL, BITMAP, GAPS, SEEDED = range(5)
RAW, PLANES, CONSTANT = range(3)
SCALE = 0x3223D70A


def stored(name: str, data: bytes = b"\1\2\3") -> EncodedTensor:
    """Return bytes that are stored whole."""
    spec = TensorSpec(name, (len(data),), DType.uint8)
    unit = EncodedUnit(len(data), b"", data)
    return EncodedTensor(spec, ZerosBase(), None, ALL, RAW, (unit,), digest(data))


def drawn(name: str, stream: int) -> EncodedTensor:
    """Return a tensor that is its base."""
    spec = TensorSpec(name, (4,), DType.float32)
    init = Init(Draw.normal, SCALE, 0, stream)
    return EncodedTensor(spec, SeedBase(1), init, NONE, RAW, (EncodedUnit(0),), 0)


def write(*tensors: EncodedTensor, aliases: dict[str, str] | None = None) -> bytes:
    return b"".join(write_pack(EncodedPack(tensors, aliases or {}, coded=False)))


def test_the_order_of_tensors_and_metadata_changes_nothing() -> None:
    tensors = [stored("a"), drawn("é", 1), stored("c")]
    metadata = {"score": "snip", "z": "1", "architecture": "net", "a": "2"}
    first = write_pack(EncodedPack(tensors, metadata=metadata))
    again = write_pack(EncodedPack(tensors[::-1], metadata=dict(reversed(list(metadata.items())))))
    assert first == again
    header = PackReader(b"".join(first)).header
    assert list(header.tensors) == ["a", "c", "é"]
    assert list(header.metadata) == ["architecture", "score", "a", "z"]


def test_a_stream_costs_nothing_where_it_is_the_number_of_tensors_before() -> None:
    plain, other = write(drawn("a", 0), drawn("c", 1)), write(drawn("a", 0), drawn("c", 2))
    assert len(other) - len(plain) == 7
    aliased = PackReader(write(drawn("a", 0), drawn("c", 1), aliases={"b": "a"})).header
    assert [kind.explicit_stream for kind in aliased.kinds] == [False]
    assert aliased.aliases == {"b": "a"}
    assert [record.init for record in aliased.tensors.values()] == [
        Init(Draw.normal, SCALE, 0, 0),
        Init(Draw.normal, SCALE, 0, 1),
    ]


def test_equal_choices_share_a_kind() -> None:
    base = FileBase(7, "x")
    changed = replace(stored("c"), base=base)
    header = PackReader(write(stored("a"), stored("b"), changed, drawn("d", 9))).header
    assert len(header.kinds) == 3
    assert header.bases == (base, SeedBase(1))


def test_a_constant_stands_in_the_record() -> None:
    spec = TensorSpec("a", (8,), DType.float32)
    tensor = EncodedTensor(
        spec, ZerosBase(), None, BITMAP, CONSTANT, (EncodedUnit(2, b"\5"),), 0,
        parameter=b"\0\0\0\x80",
    )  # fmt: skip
    reader = PackReader(write(tensor))
    record = reader.header.tensors["a"]
    assert record.parameter == b"\0\0\0\x80"
    assert record.trained == 2
    assert [bytes(section) for section in reader.sections(record, 0)] == [b"\5", b""]


def test_a_large_payload_has_checksums_and_digests() -> None:
    data = bytes(65_537)
    record = PackReader(write(stored("a", data))).header.tensors["a"]
    assert record.digest == digest(data)
    assert record.unit(0).checksum is not None
    small = PackReader(write(stored("a", data[:-1]))).header
    assert small.digest is not None
    assert small.tensors["a"].digest is None
    assert small.tensors["a"].explicit_units is None


@pytest.mark.parametrize(
    ("tensors", "aliases", "problem"),
    [
        ([stored("a"), stored("a")], {}, "the name 'a' stands twice"),
        ([stored("a")], {"a": "a"}, "the name 'a' stands twice"),
        ([stored("b")], {"a": "b"}, "'a' is tied to 'b', expected an earlier tensor"),
        ([stored("a")], {"b": "x"}, "'b' is tied to 'x', expected an earlier tensor"),
        ([stored("a")], {"b": "a", "c": "b"}, "'c' is tied to 'b', expected an earlier tensor"),
        ([stored("__metadata__")], {}, "the name '__metadata__' is reserved"),
        ([stored("a\0")], {}, "the name 'a.x00' holds NUL"),
        ([stored("\ud800")], {}, "is not Unicode text"),
        ([replace(stored("a"), units=())], {}, "'a' has 0 units, expected 1"),
        ([replace(stored("a"), index_codec=NONE)], {}, "'a' has 3 trained, expected 0"),
        ([replace(stored("a"), units=(EncodedUnit(2, b"", b"ab"),))], {}, "2 trained, expected 3"),
        ([replace(stored("a"), units=(EncodedUnit(3, b"", b"ab"),))], {}, "2 bytes, expected 3"),
        ([replace(stored("a"), units=(EncodedUnit(3, b"x", b"abc"),))], {}, "index of 'a': 1 byte"),
        ([replace(stored("a"), parameter=b"x")], {}, "value parameter of 'a': 1 bytes, expected 0"),
        ([replace(stored("a"), index_codec=BITMAP)], {}, "cannot be written: tensor_kind of 'a'"),
        ([replace(drawn("a", 0), init=None)], {}, "'a' has a seed for its base, but no draw"),
        ([replace(stored("a"), index_codec=SEEDED)], {}, "'a' has a mask from a seed, but no seed"),
        (
            [replace(drawn("a", 0), init=Init(Draw.normal, 0))], {},
            "this pack cannot be written: scale of 'a' at byte",
        ),
    ],
)  # fmt: skip
def test_what_no_reader_would_open_is_not_written(
    tensors: list[EncodedTensor], aliases: dict[str, str], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        write(*tensors, aliases=aliases)


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"": "x"}, "a metadata key is empty"),
        ({"a": "\0"}, "metadata 'a' has NUL or more than 65536 bytes"),
        ({"a": "x" * 65_537}, "metadata 'a' has NUL or more than 65536 bytes"),
        ({str(n): "" for n in range(1025)}, "found 1025, expected at most 1024"),
    ],
)
def test_metadata_within_limits(metadata: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        write_pack(EncodedPack([], metadata=metadata))


def empty(count: int) -> list[EncodedTensor]:
    """Return empty tensors."""
    specs = [TensorSpec(f"{number:05x}", (0,), DType.uint8) for number in range(count)]
    return [EncodedTensor(spec, ZerosBase(), None, NONE, RAW, (), 0) for spec in specs]


def test_the_header_is_coded_where_that_is_smaller() -> None:
    pack = EncodedPack([stored("a")])
    coded, plain = (b"".join(write_pack(replace(pack, coded=form))) for form in (True, False))
    assert (len(coded), len(plain)) == (27, 38)
    assert b"".join(write_pack(pack)) == coded
    first, second = PackReader(coded).header, PackReader(plain).header
    assert (first.coded, second.coded) == (True, False)
    assert first.tensors["a"].spec == second.tensors["a"].spec
    assert first.digest == second.digest


def test_a_coded_header_stands_for_at_most_16384_bytes() -> None:
    most = 2698
    coded = b"".join(write_pack(EncodedPack(empty(most), coded=True)))
    plain = b"".join(write_pack(EncodedPack(empty(most), coded=False)))
    sizes = PackReader(plain).header.sizes
    assert sizes["metadata"] + sizes["kinds"] + sizes["tensors"] == 16_380
    begin = time.process_time()
    assert len(PackReader(coded).header.tensors) == most
    assert time.process_time() - begin < 2
    with pytest.raises(ValueError, match="the header of this pack cannot be coded"):
        write_pack(EncodedPack(empty(most + 1), coded=True))
    assert not PackReader(b"".join(write_pack(EncodedPack(empty(most + 1))))).header.coded


def test_the_header_of_a_large_payload_or_model_is_not_coded() -> None:
    for tensors in ([stored("a", bytes(65_537))], [stored("a"), zeros("b", 2**23)]):
        with pytest.raises(ValueError, match="the header of this pack cannot be coded"):
            write_pack(EncodedPack(tensors, coded=True))
        assert not PackReader(b"".join(write_pack(EncodedPack(tensors)))).header.coded


def zeros(name: str, size: int) -> EncodedTensor:
    spec = TensorSpec(name, (size,), DType.float32)
    units = tuple(EncodedUnit(0) for _ in range(layout_of(spec.shape).units))
    return EncodedTensor(spec, ZerosBase(), None, NONE, RAW, units, 0)
