"""Random and nearly correct files: a FormatError, or a file that writes to the same bytes."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from freezepack.errors import FormatError, NotFreezepackError, TruncatedError
from freezepack.format.cursor import varint_bytes
from freezepack.format.reader import PackReader
from tests.conformance.vectors import CODED, PLAIN, golden
from tests.robustness.loading import load, write_again, write_header_again
from tests.robustness.surgery import Field, seal, seal_coded, take_apart, take_coded_apart

NAMES = [name for name in PLAIN if len(golden(name)[0]) < 1500 and not golden(name)[1]["given"]]
PARTS = {name: take_apart(golden(name)[0]) for name in NAMES}
STREAMS = {name: take_coded_apart(golden(name)[0]) for name in CODED}
NUMBERS = st.one_of(
    st.integers(0, 40), st.sampled_from([2**n + d for n in range(64) for d in (-1, 0, 1)])
)
BYTES = st.one_of(NUMBERS.map(varint_bytes), st.binary(max_size=12))


def check(data: bytes) -> None:
    """Refuse the file, or load it and write it again."""
    refusal: FormatError | None = None
    try:
        tensors = load(data)
    except FormatError as error:
        refusal = error
    if refusal is None:
        assert write_again(data, tensors) == data
    else:
        assert refusal.problem
        assert 0 <= refusal.offset <= len(data)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a golden file with one to three changed fields, lengths and checksum repaired."""
    features, header, payload = PARTS[draw(st.sampled_from(NAMES))]
    fields: list[Field] = list(header)
    for _ in range(draw(st.integers(1, 3))):
        if not fields:
            break
        place = draw(st.integers(0, len(fields) - 1))
        change = draw(st.sampled_from(["put", "flip", "insert", "remove", "swap"]))
        old = fields[place]
        if change == "put":
            fields[place] = Field(old.name, old.offset, draw(BYTES))
        elif change == "flip":
            bit = draw(st.integers(0, 8 * len(old.data) - 1)) if old.data else 0
            flipped = bytearray(old.data)
            if flipped:
                flipped[bit // 8] ^= 1 << bit % 8
            fields[place] = Field(old.name, old.offset, bytes(flipped))
        elif change == "insert":
            fields.insert(place, Field("new", 0, draw(BYTES)))
        elif change == "remove":
            del fields[place]
        else:
            other = draw(st.integers(0, len(fields) - 1))
            fields[place], fields[other] = fields[other], fields[place]
    if draw(st.booleans()):
        payload = draw(st.sampled_from([payload + b"\0", payload[:-1], payload[::-1], payload]))
    return seal(b"".join(field.data for field in fields), payload, features)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_a_changed_field_is_found_or_harmless(data: bytes) -> None:
    check(data)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_many_changed_fields_are_found_or_harmless(data: bytes) -> None:
    check(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=20), st.sampled_from([b"\0", b"\1"]))
def test_any_header_is_refused_or_harmless(header: bytes, payload: bytes, features: bytes) -> None:
    check(seal(header, payload, features))


@st.composite
def coded(draw: st.DrawFn) -> bytes:
    """Draw a file whose coded header begins like a golden one: any stream stands for fields."""
    stream, _, payload = STREAMS[draw(st.sampled_from(CODED))]
    kept = stream[: draw(st.integers(0, len(stream)))]
    changed = bytearray(kept + draw(st.binary(max_size=20)))
    if changed and draw(st.booleans()):
        bit = draw(st.integers(0, 8 * len(changed) - 1))
        changed[bit // 8] ^= 1 << bit % 8
    return seal_coded(bytes(changed).rstrip(b"\0"), draw(st.sampled_from([payload, b""])))


def check_coded(data: bytes) -> None:
    """Refuse the header, or write what it says to the same stream."""
    refusal: FormatError | None = None
    try:
        PackReader(data)
    except FormatError as error:
        refusal = error
    if refusal is None:
        assert take_coded_apart(write_header_again(data))[0] == take_coded_apart(data)[0]
    else:
        assert refusal.problem
        assert 0 <= refusal.offset <= len(data)


@example(
    bytes.fromhex(
        "8946504b8127804985487440000000000000b2c5f92c5f92c5bd003f8affda4ba25dfbe1eeca23131900000000"
        "00000000"
    )
)  # lengths that pass the end of the file, then one more
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(coded())
def test_any_coded_header_is_refused_or_the_only_one(data: bytes) -> None:
    check_coded(data)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(coded())
def test_many_coded_headers_are_refused_or_the_only_ones(data: bytes) -> None:
    check_coded(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises((NotFreezepackError, TruncatedError)):
        PackReader(data)
