"""The analytic combination of two scores, against a solver and against all masks."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from freezepack.errors import SelectionError
from freezepack.scores.synaptic import normalise
from freezepack.selection.combine import Vector, combine, combine_two, required_sum
from freezepack.selection.topk import keep_top


@st.composite
def problems(draw: st.DrawFn, most: int = 40) -> tuple[Vector, Vector, int, float]:
    size = draw(st.integers(2, most))
    numbers = st.integers(-50, 1000).map(float)
    main, control = (draw(arrays(np.float64, size, elements=numbers)) for _ in range(2))
    main[0], control[-1] = 7.0, 9.0  # not all 0
    scores = (normalise({"a": main}), normalise({"a": control}))
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
    return (*scores, draw(st.integers(1, size)), share)


def relaxed_optimum(main: Vector, control: Vector, count: int, need: float) -> float:
    solved = linprog(
        -main,
        A_ub=-control[None],
        b_ub=[-need + 1e-12],
        A_eq=np.ones((1, main.size)),
        b_eq=[count],
        bounds=(0, 1),
    )
    assert solved.success
    return float(-solved.fun)


@given(problems())
@settings(max_examples=200, deadline=None)
def test_the_multiplier_solves_the_relaxed_program(
    problem: tuple[Vector, Vector, int, float],
) -> None:
    main, control, count, share = problem
    found = combine_two(main, control, count, share)
    assert int(found.mask.sum()) == count
    assert found.reached[0] >= found.required[0]
    best = relaxed_optimum(main, control, count, found.required[0])
    (x,) = found.multipliers
    if np.isfinite(x):
        # the dual function at the multiplier is the optimum of the relaxed program
        weighed = main + x * control
        dual = float(weighed[keep_top(weighed, count)].sum()) - x * found.required[0]
        assert dual == pytest.approx(best, abs=1e-7 * max(1.0, x))
    # and the mask loses less than the relaxed program gains by exchanging one entry for another
    assert best - float(main[found.mask].sum()) <= main.max() - main.min() + 1e-9


@given(problems(most=9))
@settings(max_examples=100, deadline=None)
def test_no_mask_with_enough_of_the_control_is_far_better(
    problem: tuple[Vector, Vector, int, float],
) -> None:
    main, control, count, share = problem
    found = combine_two(main, control, count, share)
    choices = (list(c) for c in combinations(range(main.size), count))
    best = max(
        float(main[c].sum()) for c in choices if control[c].sum() >= found.required[0] - 1e-12
    )
    assert float(main[found.mask].sum()) >= best - (main.max() - main.min()) - 1e-12


@given(problems())
@settings(max_examples=100, deadline=None)
def test_the_solver_and_the_analytic_solution_agree(
    problem: tuple[Vector, Vector, int, float],
) -> None:
    main, control, count, share = problem
    analytic = combine_two(main, control, count, share)
    solved = combine(main, [control], count, [share])
    assert int(solved.mask.sum()) == count
    room = main.max() - main.min() + 1e-9
    assert float(main[solved.mask].sum()) == pytest.approx(
        float(main[analytic.mask].sum()), abs=2 * room
    )
    best = relaxed_optimum(main, control, count, analytic.required[0])
    assert best - float(main[solved.mask].sum()) <= room


def test_two_scores_by_hand() -> None:
    main = np.array([0.6, 0.3, 0.2, 0.1])
    control = np.array([0.05, 0.1, 0.35, 0.5])
    masks = {
        share: combine_two(main, control, 2, share).mask.tolist() for share in (0, 0.3, 0.5, 1)
    }
    # sums of the control: 0.15 by the main score alone, at most 0.85
    assert masks[0] == [True, True, False, False]
    assert masks[0.3] == [True, False, True, False]  # 0.36 asked for, 0.4 reached
    assert masks[0.5] == [True, False, False, True]  # 0.5 asked for, 0.55 reached
    assert masks[1] == [False, False, True, True]
    assert required_sum(main, control, 2, 0.5) == pytest.approx(0.5)
    assert combine_two(main, control, 2, 0).multipliers == (0.0,)
    # the third and the fourth trade places where 0.2 + 0.35 x = 0.1 + 0.5 x
    assert combine_two(main, control, 2, 0.5).multipliers[0] == pytest.approx(2 / 3)


def test_three_scores_by_the_solver() -> None:
    main = np.array([0.5, 0.4, 0.1, 0.0, 0.0])
    controls = [np.array([0.0, 0.0, 0.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.0, 0.0, 1.0])]
    found = combine(main, controls, 3, [1.0, 1.0])
    assert found.mask.tolist() == [True, False, False, True, True]
    assert found.reached == (1.0, 1.0)
    with pytest.raises(SelectionError, match="no mask has enough of every control score"):
        combine(main, controls, 1, [1.0, 1.0])


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(SelectionError, match=r"share of a control score is 1\.5, expected 0 to 1"):
        combine_two(np.ones(3), np.ones(3), 1, 1.5)


def test_scores_that_cannot_be_weighed_are_refused() -> None:
    with pytest.raises(SelectionError, match="score 1 of 'b' is inf, expected a number"):
        normalise({"a": np.ones(2), "b": np.array([1.0, np.inf])})
    with pytest.raises(SelectionError, match="all scores are 0"):
        normalise({"a": np.zeros(2)})
    assert np.abs(normalise({"a": np.full(4, -1e308)})).sum() == 1.0
