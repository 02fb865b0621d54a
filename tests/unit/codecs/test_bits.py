import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from freezepack.codecs.bits import bit_length, read_fields, read_unary, write_fields, write_unary

FIELDS = st.lists(
    st.integers(0, 24).flatmap(lambda w: st.tuples(st.just(w), st.integers(0, 2**w - 1)))
)


@given(st.lists(st.integers(0, 2**53)))
def test_bit_length_is_that_of_python(values: list[int]) -> None:
    found = bit_length(np.array(values, np.int64)).tolist()
    assert found == [value.bit_length() for value in values]


@given(st.lists(st.integers(0, 70)))
def test_unary_numbers_come_back(values: list[int]) -> None:
    bits = write_unary(np.array(values, np.int64))
    assert bits.size == sum(values) + len(values)
    assert read_unary(bits, len(values)).tolist() == values


def test_missing_unary_numbers_are_missing() -> None:
    assert read_unary(np.array([0, 1, 0], np.uint8), 2).tolist() == [1]


@given(FIELDS)
def test_fields_come_back(fields: list[tuple[int, int]]) -> None:
    widths = np.array([width for width, _ in fields], np.int64)
    values = np.array([value for _, value in fields], np.int64)
    data = np.packbits(write_fields(values, widths), bitorder="little")
    starts = np.cumsum(widths) - widths
    assert read_fields(data, starts, widths).tolist() == values.tolist()


def test_only_the_low_bits_of_a_field_are_written() -> None:
    assert write_fields(np.array([0b1101]), np.array([3])).tolist() == [1, 0, 1]


def test_bits_behind_the_end_read_as_zero() -> None:
    read = read_fields(np.array([0xFF], np.uint8), np.array([4, 8]), np.array([8, 8]))
    assert read.tolist() == [15, 0]
