"""The index codecs `none`, `all`, `bitmap` and `seeded`."""

import dataclasses

import numpy as np
import pytest

from freezepack.codecs.base import vector_unit
from freezepack.codecs.bitmap import BITMAP
from freezepack.codecs.ends import ALL, NONE
from freezepack.codecs.seeded import SEEDED
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import Positions

UNIT = vector_unit(10, offset=64)
DRAWN = dataclasses.replace(vector_unit(16, offset=64), key=1, stream=5)


def positions(*numbers: int) -> Positions:
    return np.array(numbers, np.uint32)


def test_nothing_and_everything_cost_no_bytes() -> None:
    assert NONE.encode(positions(), UNIT) == b""
    assert ALL.encode(np.arange(10, dtype=np.uint32), UNIT) == b""
    assert NONE.decode(memoryview(b""), 0, UNIT).tolist() == []
    assert ALL.decode(memoryview(b""), 10, UNIT).tolist() == list(range(10))
    assert NONE.fixed_length(10, 0) == ALL.fixed_length(10, 10) == 0


def test_other_masks_are_neither_nothing_nor_everything() -> None:
    assert NONE.encode(positions(3), UNIT) is None
    assert ALL.encode(positions(3), UNIT) is None


def test_a_count_that_is_not_nothing_is_refused() -> None:
    with pytest.raises(CorruptError, match="index at byte 64: 1 trained, expected 0 of 10"):
        NONE.decode(memoryview(b""), 1, UNIT)
    with pytest.raises(CorruptError, match="index at byte 64: 9 trained, expected 10 of 10"):
        ALL.decode(memoryview(b""), 9, UNIT)


@pytest.mark.parametrize("codec", [NONE, ALL, SEEDED])
def test_bytes_where_there_should_be_none_are_refused(codec: object) -> None:
    with pytest.raises(CorruptError, match="index at byte 64: 2 bytes, expected none"):
        codec.decode(memoryview(b"\0\0"), 0, UNIT)  # type: ignore[attr-defined]


def test_bitmap_has_the_lowest_bit_first() -> None:
    assert BITMAP.encode(positions(0, 3, 9), UNIT) == b"\x09\x02"
    assert BITMAP.decode(memoryview(b"\x09\x02"), 3, UNIT).tolist() == [0, 3, 9]
    assert [BITMAP.fixed_length(size, 1) for size in (1, 8, 9)] == [1, 1, 2]


def test_bitmap_errors_name_place_and_expectation() -> None:
    with pytest.raises(TruncatedError, match="index at byte 64: 1 bytes left, expected 2 for 10"):
        BITMAP.decode(memoryview(b"\x09"), 3, UNIT)
    with pytest.raises(CorruptError, match="index at byte 66: 1 bytes after the bitmap"):
        BITMAP.decode(memoryview(b"\x09\x02\x00"), 3, UNIT)
    with pytest.raises(CorruptError, match="index at byte 65: padding bits are not zero"):
        BITMAP.decode(memoryview(b"\x09\x06"), 3, UNIT)
    with pytest.raises(CorruptError, match="index at byte 64: 3 bits are set, expected 4"):
        BITMAP.decode(memoryview(b"\x09\x02"), 4, UNIT)


def test_seeded_mask_is_drawn_from_the_mask_stream() -> None:
    assert SEEDED.decode(memoryview(b""), 5, DRAWN).tolist() == [0, 1, 5, 11, 12]
    second = dataclasses.replace(DRAWN, start=16)
    assert SEEDED.decode(memoryview(b""), 5, second).tolist() == [0, 7, 11, 12, 15]


def test_seeded_codes_the_drawn_mask_and_no_other() -> None:
    assert SEEDED.encode(positions(0, 1, 5, 11, 12), DRAWN) == b""
    assert SEEDED.encode(positions(0, 1, 5, 11, 13), DRAWN) is None
    assert SEEDED.encode(positions(0, 1, 5, 11, 12), UNIT) is None


def test_seeded_needs_a_seed_and_a_possible_count() -> None:
    with pytest.raises(CorruptError, match="index at byte 64: a mask from a seed, and no seed"):
        SEEDED.decode(memoryview(b""), 5, UNIT)
    with pytest.raises(
        CorruptError, match="index at byte 64: 17 trained positions in a unit of 16"
    ):
        SEEDED.decode(memoryview(b""), 17, DRAWN)
