"""What every value codec promises; a new one is in this battery by its line in the table."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezepack.codecs import VALUE_CODECS
from freezepack.codecs.base import BaseValues, ValueCodec
from freezepack.errors import CorruptError, FormatError, TruncatedError
from freezepack.types import DType, RawArray

EXAMPLES = settings(max_examples=25, deadline=None)
MORE_EXAMPLES = settings(EXAMPLES, max_examples=50)


@pytest.fixture(scope="module", params=VALUE_CODECS)
def values(request: pytest.FixtureRequest, kernel: str) -> ValueCodec:
    codec: ValueCodec = VALUE_CODECS.get_part(request.param)
    if codec.adaptive and kernel == "numpy":
        pytest.skip("slow without the kernel; its own tests hold the two to the same bytes")
    return codec


@st.composite
def trained(draw: st.DrawFn) -> tuple[DType, RawArray, BaseValues | None]:
    """Values like trained weights, any bits at all, or one value; with and without a base."""
    dtype = draw(st.sampled_from([DType.float32, DType.bfloat16, *DType]))
    count = draw(st.integers(1, 300))
    kind = draw(st.sampled_from(["weights", "bits", "one"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    octets = rng.integers(0, 256, (2, count, dtype.itemsize), np.uint8)
    if kind == "weights":
        octets[:, :, -1] = rng.integers(0x3C, 0x3E, count)
        octets[1, :, dtype.itemsize // 2 :] = octets[0, :, dtype.itemsize // 2 :]
    if kind == "one":
        octets[:] = octets[0, 0]
    start, raw = (np.ascontiguousarray(part).reshape(-1).view(dtype.raw) for part in octets)
    return dtype, raw, BaseValues(lambda: start) if draw(st.booleans()) else None


@given(trained())
@MORE_EXAMPLES
def test_values_come_back(
    values: ValueCodec, case: tuple[DType, RawArray, BaseValues | None]
) -> None:
    dtype, raw, base = case
    section = values.encode(raw, dtype, base)
    if section is None:
        return
    parameter = values.parameter_length(dtype)
    assert values.fixed_length(dtype, raw.size) in (None, len(section) - parameter)
    found = values.decode(memoryview(section), dtype, raw.size, base, 64)
    assert found.dtype == dtype.raw
    assert found.size == raw.size
    if not values.lossy:
        assert found.tobytes() == raw.tobytes()
    # What was decoded is what would be stored: a second round changes nothing.
    again = values.encode(found, dtype, base)
    if again is not None:
        second = values.decode(memoryview(again), dtype, raw.size, base, 64)
        assert second.tobytes() == found.tobytes()


@given(trained())
@EXAMPLES
def test_values_are_left_as_they_are(
    values: ValueCodec, case: tuple[DType, RawArray, BaseValues | None]
) -> None:
    dtype, raw, base = case
    frozen = raw.copy()
    frozen.flags.writeable = False
    section = values.encode(frozen, dtype, base)
    assert frozen.tobytes() == raw.tobytes()
    assert values.encode(frozen, dtype, base) == section


@given(trained())
@EXAMPLES
def test_cut_or_longer_values_are_noticed(
    values: ValueCodec, case: tuple[DType, RawArray, BaseValues | None]
) -> None:
    dtype, raw, base = case
    section = values.encode(raw, dtype, base)
    if section is None:
        return
    whole = values.decode(memoryview(section), dtype, raw.size, base, 64)
    cuts = [section[:cut] for cut in range(0, len(section), 1 + len(section) // 12)]
    for damaged in (*cuts, section + b"\0"):
        try:
            found = values.decode(memoryview(damaged), dtype, raw.size, base, 64)
        except (TruncatedError, CorruptError) as error:
            assert error.field == "values"  # noqa: PT017
        else:
            assert values.adaptive
            assert found.tobytes() != whole.tobytes()


@given(trained(), st.randoms(use_true_random=False))
@EXAMPLES
def test_a_flipped_bit_is_refused_or_gives_values(
    values: ValueCodec, case: tuple[DType, RawArray, BaseValues | None], random: Random
) -> None:
    dtype, raw, base = case
    section = values.encode(raw, dtype, base)
    if section is None:
        return
    for _ in range(10):
        damaged = bytearray(section)
        place = random.randrange(8 * len(section))
        damaged[place // 8] ^= 1 << place % 8
        check_values(values, bytes(damaged), dtype, raw.size, base)


@given(trained(), st.binary(max_size=200))
@MORE_EXAMPLES
def test_random_bytes_are_refused_or_give_values(
    values: ValueCodec, case: tuple[DType, RawArray, BaseValues | None], data: bytes
) -> None:
    dtype, raw, base = case
    check_values(values, data, dtype, raw.size, base)


def check_values(
    codec: ValueCodec, section: bytes, dtype: DType, count: int, base: BaseValues | None
) -> None:
    """Hold a codec to give `count` elements or a clear error."""
    try:
        found = codec.decode(memoryview(section), dtype, count, base, 64)
    except FormatError as error:
        assert error.field == "values"  # noqa: PT017
        assert error.offset >= 64  # noqa: PT017
    else:
        assert found.dtype == dtype.raw
        assert found.size == count
        if codec.canonical and not codec.adaptive:
            assert codec.encode(found, dtype, base) == section
