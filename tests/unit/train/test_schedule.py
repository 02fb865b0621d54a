"""Learning rates by step, as literals."""

import pytest

from freezepack.train.config import RunConfig
from freezepack.train.schedule import learning_rate


def rates(steps: list[int], **values: object) -> list[float]:
    config = RunConfig(lr=1.0, epochs=10, **values)  # type: ignore[arg-type]
    return [round(learning_rate(config, step, 10), 6) for step in steps]


def test_cosine_rises_linearly_and_ends_near_zero() -> None:
    assert rates([0, 4, 9, 10, 55, 99], warmup=1.0) == [0.1, 0.5, 1.0, 1.0, 0.5, 0.000305]


def test_without_warmup_the_first_step_has_the_full_rate() -> None:
    assert rates([0, 50, 99], warmup=0.0) == [1.0, 0.5, 0.000247]


def test_step_falls_at_its_milestones() -> None:
    values = {"schedule": "step", "warmup": 0.0, "milestones": (0.5, 0.75), "gamma": 0.1}
    assert rates([0, 49, 50, 74, 75, 99], **values) == [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]


def test_constant_stays() -> None:
    assert rates([0, 99], schedule="constant", warmup=0.0) == [1.0, 1.0]


@pytest.mark.parametrize("schedule", ["cosine", "step", "constant"])
def test_a_warmup_longer_than_the_run_is_the_whole_run(schedule: str) -> None:
    assert rates([0, 99], schedule=schedule, warmup=30.0) == [0.01, 1.0]
