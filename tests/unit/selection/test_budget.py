"""Layer budgets add up exactly and keep every layer within its size."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.errors import SelectionError, UnknownNameError
from freezepack.selection.budget import layer_counts

SHAPES = {"conv1": (20, 1, 5, 5), "conv2": (50, 20, 5, 5), "fc1": (500, 800), "fc2": (10, 500)}


def test_uniform_gives_every_layer_the_same_density() -> None:
    counts = layer_counts(SHAPES, 43_050, "uniform")
    assert counts == {"conv1": 50, "conv2": 2_500, "fc1": 40_000, "fc2": 500}


def test_erk_gives_small_layers_more_and_none_more_than_it_has() -> None:
    counts = layer_counts(SHAPES, 43_050, "erk")
    # conv1 and fc2 are full; the rest, 37,550, is divided 80 to 1300, the sums of their shapes
    assert counts == {"conv1": 500, "conv2": 2_177, "fc1": 35_373, "fc2": 5_000}
    # nothing is full: 430 divided 31 : 80 : 1300 : 510
    counts = layer_counts(SHAPES, 430, "erk")
    assert counts == {"conv1": 7, "conv2": 18, "fc1": 291, "fc2": 114}


def test_equal_gives_every_layer_the_same_number_or_all_it_has() -> None:
    counts = layer_counts(SHAPES, 9_500, "equal")
    assert counts == {"conv1": 500, "conv2": 3_000, "fc1": 3_000, "fc2": 3_000}


def test_ties_of_remainders_go_to_the_lower_index() -> None:
    shapes = {"a": (3,), "b": (3,), "c": (3,)}
    assert layer_counts(shapes, 4, "uniform") == {"a": 2, "b": 1, "c": 1}
    assert layer_counts(shapes, 5, "uniform") == {"a": 2, "b": 2, "c": 1}


@given(
    st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=4), min_size=1, max_size=6),
    st.floats(0, 1),
    st.sampled_from(["uniform", "erk", "equal"]),
)
def test_counts_add_up_and_fit(shapes: list[list[int]], share: float, budget: str) -> None:
    named = {str(i): tuple(shape) for i, shape in enumerate(shapes)}
    count = max(1, round(share * sum(map(prod, named.values()))))
    counts = layer_counts(named, count, budget)
    assert list(counts) == list(named)
    assert sum(counts.values()) == count
    assert all(0 <= counts[name] <= prod(shape) for name, shape in named.items())


def test_impossible_counts_and_unknown_budgets_are_refused() -> None:
    with pytest.raises(SelectionError, match="count is 10, expected 1 to 9"):
        layer_counts({"a": (3, 3)}, 10, "uniform")
    with pytest.raises(UnknownNameError, match="no budget of layers named 'erkk'"):
        layer_counts({"a": (3, 3)}, 1, "erkk")
