"""Jobs take turns, each beside a reference; medians and ratios are those of the rounds."""

from collections.abc import Callable

import pytest

from freezepack.bench.speed.turns import Job, Pace, Timing, median_ratio, take_turns


class Clock:
    """A clock that only work moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self) -> float:
        return self.now

    def work(self, name: str, *seconds: float) -> Callable[[], None]:
        """Return work that takes so long each time, the last duration for good."""
        left = list(seconds)

        def run() -> None:
            self.log.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


def test_every_job_runs_in_every_round_right_after_its_reference() -> None:
    clock = Clock()
    copy = clock.work("copy", 1.0)
    jobs = {
        "a": Job(clock.work("a", 9.0, 2.0, 4.0), copy),
        "b": Job(clock.work("b", 5.0), copy),
    }
    found = take_turns(jobs, Pace(most=2, least=2, seconds=100.0), clock)
    assert clock.log == ["copy", "a", "copy", "b"] * 3
    # The first round warms up.
    assert found["a"] == Timing([2.0, 4.0], [1.0, 1.0])
    assert found["a"].median == 3.0
    assert found["a"].speed == 0.375  # median of 1/2 and 1/4
    assert found["b"].speed == 0.2


def test_the_ratio_is_that_of_pairs_and_not_of_medians() -> None:
    # In two of three rounds both were slowed down alike.
    timing = Timing(seconds=[2.0, 20.0, 30.0], beside=[1.0, 10.0, 15.0])
    assert timing.speed == 0.5
    assert Timing([1.0, 2.0, 9.0]).median == 2.0
    assert Timing([1.0]).speed is None


def test_preparing_takes_no_time_and_comes_between_reference_and_run() -> None:
    clock = Clock()
    job = Job(clock.work("run", 1.0), clock.work("copy", 3.0), clock.work("drop", 50.0))
    found = take_turns({"a": job}, Pace(most=1, least=1), clock)
    assert clock.log == ["copy", "drop", "run"] * 2
    assert found["a"] == Timing([1.0], [3.0])


def test_a_slow_job_sits_out_when_it_had_its_time_but_not_before_the_least_rounds() -> None:
    clock = Clock()
    jobs = {"slow": Job(clock.work("slow", 6.0)), "fast": Job(clock.work("fast", 1.0))}
    found = take_turns(jobs, Pace(most=5, least=2, seconds=4.0), clock)
    assert len(found["slow"].seconds) == 2
    # Warm-up and four rounds are five seconds, which is more than four.
    assert len(found["fast"].seconds) == 4


def test_the_result_is_let_go_only_after_the_clock_has_stopped() -> None:
    clock = Clock()

    class Costly:
        def __del__(self) -> None:
            clock.now += 100.0

    found = take_turns({"a": Job(Costly)}, Pace(most=1, least=1), clock)
    assert found["a"].seconds == [0.0]


def test_ratios_of_rounds_go_as_far_as_both_lists_do() -> None:
    assert median_ratio([1.0, 4.0, 9.0, 100.0], [1.0, 2.0, 3.0]) == 2.0
    with pytest.raises(ValueError, match="0 rounds to compare, expected 1 or more"):
        median_ratio([], [1.0])
    with pytest.raises(ValueError, match="1 rounds to compare"):
        median_ratio([1.0], [0.0])
