"""Prices follow the statistics: company is cheap, solitude dear."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import integers

from freezepack.rate.prices import price_vector, price_weights


def test_a_weight_in_a_full_column_is_cheaper_than_one_in_an_empty_column() -> None:
    levels = np.zeros((16, 16), np.int64)
    levels[:, 3] = 1
    first = price_weights(levels.reshape(-1), (16, 16, 1, 1)).first.reshape(16, 16)
    assert first[:, 3].max() < first[:, 4].min() - 1


def test_the_only_weight_of_its_row_costs_more_than_one_of_many() -> None:
    levels = np.zeros((8, 32), np.int64)
    levels[0, ::2] = 1
    levels[5, 7] = 1
    first = price_weights(levels.reshape(-1), (8, 32, 1, 1)).first.reshape(8, 32)
    assert first[5, 7] > first[0, 0] + 2


def test_a_neighbour_in_the_kernel_makes_a_position_cheaper() -> None:
    levels = np.zeros((4, 4, 5, 5), np.int64)
    levels[:, :, 1:3, 1:3] = 1
    first = price_weights(levels.reshape(-1), (4, 4, 5, 5)).first.reshape(4, 4, 5, 5)
    assert first[0, 0, 1, 1] < first[0, 0, 4, 4]


def test_twos_are_cheaper_where_there_are_many() -> None:
    few, many = np.ones((2, 64), np.int64)
    few[0], many[:48] = 2, 2
    prices = [price_weights(levels, (8, 8, 1, 1)).more for levels in (few, many)]
    assert prices[0] == pytest.approx(np.log2(65 / 2), abs=1e-9)
    assert prices[1] == pytest.approx(0.3)


def test_a_second_fit_goes_on_from_the_first() -> None:
    levels = (np.arange(256) % 7 == 0).astype(np.int64)
    first = price_weights(levels, (16, 16, 1, 1))
    again = price_weights(levels, (16, 16, 1, 1), first.weights)
    third = price_weights(levels, (16, 16, 1, 1), again.weights)
    assert np.abs(third.weights - again.weights).max() < np.abs(again.weights - first.weights).max()


@given(arrays(np.int64, (24,), elements=integers(-2, 2)))
def test_prices_are_finite_and_positive_and_depend_on_magnitudes_alone(
    levels: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    prices = price_weights(levels, (2, 3, 2, 2))
    assert np.isfinite(prices.first).all()
    assert (prices.first >= 0.3).all()
    assert prices.first.max() < 20
    assert prices.more >= 0.3
    turned = price_weights(-levels, (2, 3, 2, 2))
    assert turned.first.tolist() == prices.first.tolist()


def test_vectors_pay_for_each_unit_and_less_where_units_are_many() -> None:
    assert price_vector(np.array([0, 0])).more == pytest.approx(np.log2(1 + 1 / 0.3))
    assert price_vector(np.array([10, -10])).more == pytest.approx(np.log2(1 + 1 / 10.3))
    assert price_vector(np.zeros(3, np.int64)).first.tolist() == [2.0, 2.0, 2.0]
