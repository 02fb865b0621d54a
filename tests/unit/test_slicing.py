"""A cut answers an index as NumPy does, from one contiguous range."""

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices

from freezepack.format.layout import layout_of
from freezepack.slicing import answer_shape, cut, split

SHAPE = (4, 3, 2)


@given(st.data())
def test_any_index_gives_what_numpy_gives(data: st.DataObject) -> None:
    shape = data.draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    index: Any = data.draw(basic_indices(shape, allow_newaxis=False))
    array = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)
    found = cut(shape, index)
    block = array.reshape(-1)[found.start : found.stop].reshape(found.shape)
    rest: Any = (*found.rest, Ellipsis)
    assert block[rest].shape == array[index].shape
    assert block[rest].tolist() == array[index].tolist()


@given(st.data())
def test_pieces_make_up_the_answer_and_lie_in_one_unit_or_are_wanted_whole(
    data: st.DataObject,
) -> None:
    shape = data.draw(array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=6))
    index: Any = data.draw(basic_indices(shape, allow_newaxis=False))
    array = np.arange(prod(shape)).reshape(shape)
    wanted = array[index]
    assert answer_shape(shape, index) == wanted.shape
    if not wanted.size:
        return
    most = data.draw(st.integers(1, 2 * array.size))
    trailing = [prod(shape[axis:]) for axis in range(1, len(shape) + 1)]
    cols = next((length for length in trailing if length <= most), 1)
    unit = most // cols * cols
    found = np.full(wanted.shape, -1)
    for piece in split(shape, index, unit):
        begin, end = piece.cut.start, piece.cut.stop
        block = array.reshape(-1)[begin:end].reshape(piece.cut.shape)
        assert piece.cut.is_run or begin // unit == (end - 1) // unit
        assert (found[piece.place] == -1).all()
        found[piece.place] = block[piece.cut.rest]
    assert found.tolist() == wanted.tolist()


def test_pieces_leave_out_what_lies_between() -> None:
    shape = (10**6, 4096)
    cols = layout_of(shape).unit_positions
    columns = list(split(shape, (slice(0, 512), slice(0, 10)), cols))
    assert [piece.cut.start for piece in columns] == [0, cols]
    assert [piece.place for piece in columns] == [(slice(0, 256),), (slice(256, 512),)]
    apart = list(split(shape, slice(None, None, -500_000), cols))
    assert [piece.cut.start // 4096 for piece in apart] == [999_999, 499_999]
    rows = list(split(shape, slice(10, 5000), cols))
    assert [(piece.cut.start, piece.cut.stop) for piece in rows] == [(10 * 4096, 5000 * 4096)]


@pytest.mark.parametrize(
    ("index", "start", "stop"),
    [(2, 12, 18), (slice(1, 3), 6, 18), ((1, 2), 10, 12), ((1, 2, 1), 11, 12), (..., 0, 24)],
)
def test_the_range_is_no_larger_than_needed(index: Any, start: int, stop: int) -> None:
    found = cut(SHAPE, index)
    assert (found.start, found.stop) == (start, stop)


def test_an_empty_slice_needs_nothing() -> None:
    found = cut(SHAPE, slice(3, 1))
    assert found.stop - found.start == 0
    assert found.shape == (0, 3, 2)


def test_indices_out_of_range_or_too_many_are_refused() -> None:
    with pytest.raises(IndexError, match="index 4 is out of range for a dimension of 4"):
        cut(SHAPE, 4)
    with pytest.raises(IndexError, match="index -5 is out of range"):
        cut(SHAPE, -5)
    with pytest.raises(IndexError, match="4 indices and 0 ellipses for 3 dimensions"):
        cut(SHAPE, (0, 0, 0, 0))
    with pytest.raises(IndexError, match="2 ellipses"):
        cut(SHAPE, (..., ...))


@pytest.mark.parametrize("index", [[0, 1], None, True, np.array([0]), "a", 1.0])
def test_other_indices_are_refused(index: Any) -> None:
    with pytest.raises(TypeError, match="expected integers, slices or"):
        cut(SHAPE, index)


HUGE = 2**60


@pytest.mark.parametrize(
    ("index", "shape"),
    [
        (..., (HUGE, 0)),
        (slice(None, None, -1), (HUGE, 0)),
        (slice(5, None, 3), (HUGE - 6, 0)),
    ],
)
def test_a_huge_dimension_is_not_walked(index: Any, shape: tuple[int, ...]) -> None:
    found = cut((HUGE, 0), index)
    assert (found.start, found.stop) == (0, 0)
    assert found.shape == shape
