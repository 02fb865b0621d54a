import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezepack.codecs import gaps_native
from freezepack.codecs.base import vector_unit
from freezepack.codecs.bits import write_fields, write_unary
from freezepack.codecs.gaps import GAPS, decode_reference, encode_reference
from freezepack.errors import CorruptError, FormatError, TruncatedError
from freezepack.types import Positions

needs_kernel = pytest.mark.skipif(
    gaps_native.encode(np.zeros(1, np.uint32), 2) is None, reason="the kernel is not built"
)


@st.composite
def masks(draw: st.DrawFn) -> tuple[Positions, int]:
    """Up to half of a unit, in runs and lone positions, so that both modes occur."""
    size = draw(st.sampled_from([2, 3, 50, 1000, 40_000, 1 << 20]))
    seed = draw(st.integers(0, 2**32 - 1))
    count = draw(st.integers(1, min(size // 2, 300)))
    rng = np.random.default_rng(seed)
    spread = draw(st.sampled_from([1.0, 3.0, 30.0]))
    steps = np.exp(rng.random(count) * spread)
    places = np.unique((np.cumsum(steps) / steps.sum() * (size - 1)).astype(np.uint32))
    return places[: size // 2], size


def section(mode: int, steps: list[int], heads: list[int], fields: list[tuple[int, int]]) -> bytes:
    """A section from its numbers; fields are (value, width)."""
    values = np.array([value for value, _ in fields], np.int64)
    widths = np.array([width for _, width in fields], np.int64)
    unary = write_unary(np.array(steps + heads, np.int64))
    bits = np.concatenate([[mode], unary, write_fields(values, widths)]).astype(np.uint8)
    return np.packbits(bits, bitorder="little").tobytes()


GOOD = section(0, [0], [0, 1, 2], [(3, 3), (5, 3), (6, 3)])
"""Positions 3, 17 and 40 of 50."""


def decode(data: bytes, count: int, size: int) -> list[int]:
    found: list[int] = GAPS.decode(memoryview(data), count, vector_unit(size, offset=64)).tolist()
    return found


def test_three_of_fifty_positions_cost_three_bytes() -> None:
    assert GAPS.encode(np.array([3, 17, 40], np.uint32), vector_unit(50)) == GOOD
    assert GOOD.hex() == "96ab01"
    assert decode(GOOD, 3, 50) == [3, 17, 40]


def test_the_frozen_positions_are_coded_where_they_are_fewer() -> None:
    others = [place for place in range(50) if place not in (3, 17, 40)]
    assert GAPS.encode(np.array(others, np.uint32), vector_unit(50)) == GOOD
    assert decode(GOOD, 47, 50) == others


def test_exactly_half_is_coded_as_trained() -> None:
    data = GAPS.encode(np.array([0, 1], np.uint32), vector_unit(4))
    assert data is not None
    assert decode(data, 2, 4) == [0, 1]


def test_empty_and_full_masks_are_not_coded() -> None:
    assert GAPS.encode(np.array([], np.uint32), vector_unit(4)) is None
    assert GAPS.encode(np.arange(4, dtype=np.uint32), vector_unit(4)) is None


def test_a_cluster_among_far_positions_takes_the_exponential_mode() -> None:
    data = GAPS.encode(np.array([*range(6), *range(300, 304)], np.uint32), vector_unit(1000))
    assert data is not None
    assert data.hex() == "01f007f813"


@pytest.mark.parametrize(("density", "bound"), [(0.0001, 1.06), (0.01, 1.02), (0.3, 1.04)])
def test_even_masks_cost_little_more_than_their_entropy(density: float, bound: float) -> None:
    size = 1 << 20
    mask = np.random.default_rng(7).random(size) < density
    positions = np.flatnonzero(mask).astype(np.uint32)
    share = positions.size / size
    bits = -size * (share * math.log2(share) + (1 - share) * math.log2(1 - share))
    data = GAPS.encode(positions, vector_unit(size))
    assert data is not None
    assert len(data) * 8 <= bound * bits


def test_the_widest_gaps_come_back() -> None:
    size = 1 << 20
    for positions in ([size - 1], [0, size - 1], [size - 2, size - 1]):
        data = GAPS.encode(np.array(positions, np.uint32), vector_unit(size))
        assert data is not None
        assert decode(data, len(positions), size) == positions


@given(masks())
def test_the_reference_gives_back_every_mask(mask: tuple[Positions, int]) -> None:
    positions, size = mask
    data = encode_reference(positions, size)
    found = decode_reference(memoryview(data), positions.size, size, 0)
    assert found.tolist() == positions.tolist()


@needs_kernel
@given(masks())
def test_kernel_and_reference_write_the_same_bytes(mask: tuple[Positions, int]) -> None:
    positions, size = mask
    data = encode_reference(positions, size)
    assert gaps_native.encode(positions, size) == data
    found = gaps_native.decode(memoryview(data), positions.size, size)
    assert found is not None
    assert found.tolist() == positions.tolist()


def decoded(data: bytes, count: int, size: int) -> list[int] | None:
    try:
        return decode(data, count, size)
    except FormatError:
        return None


@needs_kernel
@given(masks(), st.data())
@settings(max_examples=300)
def test_kernel_and_reference_refuse_the_same_sections(
    mask: tuple[Positions, int], data: st.DataObject
) -> None:
    positions, size = mask
    damaged = bytearray(encode_reference(positions, size))
    for place in data.draw(st.lists(st.integers(0, 8 * len(damaged) - 1), min_size=1, max_size=3)):
        damaged[place // 8] ^= 1 << place % 8
    found = gaps_native.decode(memoryview(damaged), positions.size, size)
    try:
        wanted = decode_reference(memoryview(damaged), positions.size, size, 0)
    except FormatError:
        assert found is None
    else:
        assert found is not None
        assert found.tolist() == wanted.tolist()
        assert encode_reference(found, size) == damaged


@needs_kernel
@given(st.binary(max_size=80), st.integers(1, 40), st.integers(2, 4000))
@settings(max_examples=300)
def test_kernel_and_reference_agree_on_random_bytes(data: bytes, count: int, size: int) -> None:
    count = min(count, size // 2)
    found = gaps_native.decode(memoryview(data), count, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FREEZEPACK_NATIVE", "0")
        wanted = decoded(data, count, size)
    assert (None if found is None else found.tolist()) == wanted


FLAWS = {
    "1 bytes left, expected 2 or more for 7 positions": (TruncatedError, b"\xff", 7, 50, 64),
    "33 bytes, expected at most 32 for 3 positions": (CorruptError, bytes(33), 3, 50, 64),
    "2 unary numbers, expected 4": (TruncatedError, b"\x06", 3, 50, 64),
    "a parameter is not in 0 to 19": (
        CorruptError,
        section(0, [7], [0, 1, 2], [(0, 0)]),
        3,
        50,
        64,
    ),
    "a field has more than 20 bits": (CorruptError, section(1, [0], [18], [(0, 20)]), 1, 9, 64),
    "16 bits, expected 17": (TruncatedError, GOOD[:2], 3, 50, 64),
    "1 bytes after the last field": (CorruptError, GOOD + b"\0", 3, 50, 67),
    "padding bits are not zero": (CorruptError, b"\x96\xab\x81", 3, 50, 66),
    "position 40 in a unit of 40": (CorruptError, GOOD, 3, 40, 64),
    "0 trained positions in a unit of 50": (CorruptError, GOOD, 0, 50, 64),
    "50 trained positions in a unit of 50": (CorruptError, GOOD, 50, 50, 64),
    "mode 1 is the longer one": (
        CorruptError,
        section(1, [0], [0, 1, 1], [(3, 3), (5, 4), (14, 4)]),
        3,
        50,
        64,
    ),
    "a parameter does not follow from its gaps": (
        CorruptError,
        section(0, [2], [0, 0, 1], [(3, 4), (13, 4), (6, 4)]),
        3,
        50,
        64,
    ),
}


@pytest.mark.parametrize("problem", FLAWS)
def test_every_flaw_is_named(problem: str) -> None:
    kind, data, count, size, offset = FLAWS[problem]
    with pytest.raises(kind) as caught:
        decode(data, count, size)
    assert str(caught.value) == f"index at byte {offset}: {problem}"
    assert type(caught.value) is kind


def test_a_large_count_is_refused_before_any_work() -> None:
    with pytest.raises(TruncatedError, match="100 bytes left, expected 67585 or more"):
        decode(bytes(100), 1 << 19, 1 << 20)
