"""Entropies are those of the formulas."""

import pytest

from freezepack.bench.bounds import entropy_bits, per_tensor_bits


def test_the_published_bound_of_lenet5_comes_out() -> None:
    # 430,500 weights of which 2,152 are trained: 9.08 bits each
    assert entropy_bits(430_500, 2_152) / 2_152 == pytest.approx(9.0826, abs=1e-3)


def test_full_and_empty_tensors_cost_nothing() -> None:
    assert per_tensor_bits([(5, 0), (5, 5)]) == 0.0
    assert per_tensor_bits([(8, 4), (16, 8)]) == 24.0
