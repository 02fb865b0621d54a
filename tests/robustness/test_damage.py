"""Files that were cut, flipped or changed: the expected error, never a wrong tensor."""

from collections.abc import Iterator

import pytest

from freezepack.errors import (
    BaseMismatchError,
    CorruptError,
    FormatError,
    NotFreezepackError,
    TruncatedError,
    VersionError,
)
from freezepack.format.cursor import varint_bytes
from freezepack.format.reader import PackReader
from tests.conformance.vectors import CODED, GOLDEN, PLAIN, golden
from tests.robustness.loading import load, write_again
from tests.robustness.surgery import seal, seal_coded, take_apart, take_coded_apart, trace

SMALL = [name for name in PLAIN if len(golden(name)[0]) < 1500]


@pytest.mark.parametrize("name", SMALL)
def test_a_file_cut_anywhere_is_truncated(name: str) -> None:
    data, _ = golden(name)
    for cut in range(len(data)):
        with pytest.raises(TruncatedError):
            PackReader(data[:cut])


@pytest.mark.parametrize("cut", [0, 3, 20, 45, 85_000, 85_890])
def test_a_large_file_that_is_cut_is_truncated(cut: int) -> None:
    with pytest.raises(TruncatedError):
        PackReader(golden("large")[0][:cut])


@pytest.mark.parametrize("name", SMALL)
def test_every_flipped_bit_is_found_on_opening(name: str) -> None:
    data, _ = golden(name)
    preamble = sum(len(field.data) for field in trace(data)[:6])
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError) as caught:
            PackReader(damaged)
        place = bit // 8
        if place < 4:
            assert type(caught.value) is NotFreezepackError
        elif place == 4 and bit % 8 < 7:
            assert type(caught.value) is VersionError
        elif place >= preamble:
            assert type(caught.value) is CorruptError
            assert caught.value.field == "checksum"


def test_every_flipped_bit_of_a_large_header_is_found_on_opening() -> None:
    data, _ = golden("large")
    header = len(data) - PackReader(data).header.sizes["index"]
    for bit in range(8 * (header - PackReader(data).header.sizes["values"])):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            PackReader(damaged)


@pytest.mark.parametrize("place", [-1, -20_000, -68_001, -80_000, -82_000])
def test_a_flipped_bit_of_a_large_payload_is_found_on_loading(place: int) -> None:
    damaged = bytearray(golden("large")[0])
    damaged[place] ^= 16
    reader = PackReader(damaged)
    assert list(reader.header.tensors) == ["bias", "weight"]
    with pytest.raises(CorruptError, match=r"unit_checksum of '(bias|weight)' at byte"):
        load(bytes(damaged))


@pytest.mark.parametrize("name", CODED)
def test_damage_of_a_file_with_a_coded_header_is_found_on_opening(name: str) -> None:
    data, _ = golden(name)
    for cut in [*range(min(len(data), 200)), len(data) - 1]:
        with pytest.raises((TruncatedError, CorruptError)):
            PackReader(data[:cut])
    for bit in range(min(8 * len(data), 2000)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            PackReader(damaged)
    with pytest.raises(CorruptError, match="checksum at byte"):
        PackReader(data + b"abc")


@pytest.mark.parametrize("name", PLAIN)
def test_bytes_behind_the_end_are_refused(name: str) -> None:
    data, _ = golden(name)
    with pytest.raises(CorruptError, match=f"payload at byte {len(data)}: 3 bytes behind the end"):
        PackReader(data + b"abc")


def with_other_numbers(name: str, fields: tuple[str, ...]) -> Iterator[bytes]:
    """Yield a golden file with other numbers in some fields, lengths and checksum repaired."""
    features, header, payload = take_apart(golden(name)[0])
    for place, field in enumerate(header):
        if field.name in fields:
            value = sum((byte & 127) << 7 * n for n, byte in enumerate(field.data))
            others = {value - 1, value + 1, 2 * value, value // 2, 0, 2**40, 2**62}
            for other in sorted(others - {value, -1}):
                pieces = [each.data for each in header]
                pieces[place] = varint_bytes(other)
                yield seal(b"".join(pieces), payload, features)


@pytest.mark.parametrize("name", [name for name in PLAIN if "index" in name or "values" in name])
def test_no_section_length_can_be_changed(name: str) -> None:
    for changed in with_other_numbers(name, ("index_length", "values_length")):
        with pytest.raises(FormatError):
            load(changed)


@pytest.mark.parametrize("name", [name for name in PLAIN if len(golden(name)[0]) < 5000])
def test_a_changed_count_or_shape_gives_no_wrong_tensor(name: str) -> None:
    """Only numbers that say nothing wrong pass, such as a mask that replaces zeros by zeros."""
    given = golden(name)[1]["given"]
    for changed in with_other_numbers(name, ("count", "dimension", "rank")):
        try:
            tensors = load(changed, given)
        except (FormatError, BaseMismatchError):
            continue
        assert write_again(changed, tensors) == changed


@pytest.mark.parametrize("name", GOLDEN)
def test_writing_again_gives_the_same_bytes(name: str) -> None:
    data, expected = golden(name)
    if name in CODED:
        stream, digest, payload = take_coded_apart(data)
        assert seal_coded(stream, payload, digest) == data
    else:
        features, header, payload = take_apart(data)
        assert seal(b"".join(field.data for field in header), payload, features) == data
    assert write_again(data, load(data, expected["given"])) == data
