import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers
from numpy.typing import NDArray

from freezepack.codecs.grid.codec import Grid
from freezepack.pack.claims import Claim
from freezepack.pack.lossy import round_values
from freezepack.pack.lossy_compensate import DAMPING, RATE, make_curvature
from freezepack.pack.lossy_compensate import compensate as compensate_widths
from freezepack.types import DType, TensorSpec

Reals = NDArray[np.float64]


def compensate(place: Reals, matrix: Reals, sizes: list[int], rate: float) -> NDArray[np.int64]:
    """Round on steps of 0.5 that lie as the steps of `matrix` do."""
    named = {str(i): size for i, size in enumerate(sizes)}
    return compensate_widths(
        place, np.full(place.size, 0.5), make_curvature(named, 4 * matrix), rate
    )


def cost(q: NDArray[np.int64], place: Reals, curvature: Reals) -> float:
    damped = curvature + DAMPING * np.diag(np.diag(curvature))
    error = q - place
    return float(0.5 * error @ damped @ error)


def test_errors_that_do_not_meet_are_rounded_to_nearest() -> None:
    place = np.array([0.4, -2.7, 3.6, 0.0])
    assert compensate(place, np.diag([1.0, 9.0, 0.0, 2.0]), [4], 0).tolist() == [0, -3, 4, 0]


def test_a_second_value_makes_good_the_error_of_the_first() -> None:
    place = np.array([2.4, 1.4])
    # The first matters most and takes 2; only the sum of the errors costs.
    alike = np.array([[1.1, 1.0], [1.0, 1.0]])
    assert compensate(place, alike, [1, 1], 0).tolist() == [2, 2]
    # Where only the difference costs, both errors have one sign.
    assert compensate(place, np.array([[1.1, -1.0], [-1.0, 1.0]]), [2], 0).tolist() == [2, 1]


def test_the_optimum_of_a_small_problem_is_found() -> None:
    place = np.array([0.45, 0.45, 0.45, 0.45])
    curvature = np.full((4, 4), 1.0)
    q = compensate(place, curvature, [4], 0)
    assert sorted(q.tolist()) == [0, 0, 1, 1]
    grids = np.stack(np.meshgrid(*[[-1, 0, 1, 2]] * 4), -1).reshape(-1, 4)
    best = min(cost(grid, place, curvature) for grid in grids)
    assert cost(q, place, curvature) == pytest.approx(best)


@given(integers(0, 10_000), integers(1, 12), integers(1, 12))
def test_no_error_costs_more_than_that_of_the_nearest(seed: int, size: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(rank, size))
    place = rng.normal(scale=3, size=size)
    q = compensate(place, factors.T @ factors, [size], 0)
    nearest = np.rint(place).astype(np.int64)
    assert cost(q, place, factors.T @ factors) <= cost(nearest, place, factors.T @ factors) + 1e-12


def test_cheap_integers_are_preferred_tensor_by_tensor() -> None:
    place = np.concatenate([np.zeros(90), np.full(10, 0.55), np.full(100, 5.55)])
    assert compensate(place, np.eye(200), [100, 100], 0)[90:100].tolist() == [1] * 10
    q = compensate(place, np.eye(200), [100, 100], RATE)
    assert q[:100].tolist() == [0] * 100
    assert set(q[100:].tolist()) <= {5, 6}


def test_only_tensors_with_a_curvature_go_together() -> None:
    arrays = {
        name: (TensorSpec(name, (2,), DType.float32), values.astype(np.float32).view("<u4"))
        for name, values in (("a", np.array([1.4, -0.6])), ("b", np.array([1.4, -0.6])))
    }
    curvature = make_curvature({"a": 2}, np.array([[1.0, 1.0], [1.0, 1.0]]))
    rounded = round_values(
        arrays, {"a": Claim(), "b": Claim()}, "grid:2", rate=0.0, curvatures=[curvature]
    )
    codec = rounded.codecs["a"]
    assert isinstance(codec, Grid)
    assert codec.step is not None
    width = codec.step.width
    places = [(r.view(np.float32) / width).round().tolist() for _, r in rounded.arrays.values()]
    assert places == [[1.0, 0.0], [1.0, -1.0]]
