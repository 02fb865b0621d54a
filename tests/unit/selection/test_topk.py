"""Selection is exact: the count, the ties, the order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from freezepack.errors import SelectionError
from freezepack.selection.topk import keep_top, select


def test_ties_go_to_the_lower_index() -> None:
    assert keep_top(np.array([3.0, 3.0, 3.0]), 1).tolist() == [True, False, False]
    assert keep_top(np.array([1.0, 3.0, 0.0, 3.0, 3.0]), 2).tolist() == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_infinities_are_scores_like_others_and_signed_zeros_are_equal() -> None:
    scores = np.array([-np.inf, 0.0, -0.0, np.inf])
    assert keep_top(scores, 1).tolist() == [False, False, False, True]
    assert keep_top(scores, 2).tolist() == [False, True, False, True]
    assert keep_top(scores[::-1].copy(), 2).tolist() == [True, True, False, False]


def test_a_difference_in_the_last_bit_of_float64_decides() -> None:
    scores = np.array([1.0, np.nextafter(1.0, 2.0)])
    assert keep_top(scores, 1).tolist() == [False, True]


def test_nan_is_refused_with_its_place() -> None:
    with pytest.raises(SelectionError, match=r"scores\[1\] is NaN, expected a number"):
        keep_top(np.array([0.0, np.nan]), 1)
    with pytest.raises(SelectionError, match="score 2 of 'b' is NaN, expected a number"):
        select({"a": np.ones(2), "b": np.array([[0.0, 1.0], [np.nan, 0.0]])}, "0.5")


@pytest.mark.parametrize("count", [0, -1, 4])
def test_an_impossible_count_is_refused(count: int) -> None:
    with pytest.raises(SelectionError, match=f"count is {count}, expected 1 to 3"):
        keep_top(np.ones(3), count)


def test_tensors_compete_with_each_other_in_file_order() -> None:
    masks = select({"a": np.full((2, 2), 2.0), "b": np.array([1.0, 2.0, 5.0, 0.0])}, "0.625")
    assert masks["a"].tolist() == [[True, True], [False, False]]
    assert masks["b"].tolist() == [False, False, True, False]


def test_an_empty_tensor_takes_part_without_harm() -> None:
    masks = select({"a": np.zeros((0, 3)), "b": np.arange(4.0), "c": np.zeros(0)}, "0.5")
    assert [mask.shape for mask in masks.values()] == [(0, 3), (4,), (0,)]
    assert masks["b"].tolist() == [False, False, True, True]


@given(
    arrays(np.float64, st.integers(1, 60), elements=st.integers(-3, 3).map(float)),
    st.integers(1, 60),
)
def test_the_mask_is_that_of_a_stable_sort(scores: NDArray[np.float64], count: int) -> None:
    count = min(count, scores.size)
    expected = np.zeros(scores.size, np.bool_)
    expected[np.argsort(-scores, kind="stable")[:count]] = True
    assert keep_top(scores, count).tolist() == expected.tolist()
