"""Estimates follow what runs take."""

from freezepack.bench.accuracy.clock import Clock, show_time


class Time:
    """A time that is set."""

    value = 0.0

    def __call__(self) -> float:
        return self.value


def test_nothing_is_estimated_from_nothing() -> None:
    clock = Clock({"a": None, "b": None}, 1)
    assert clock.tell() == "no estimate yet"
    clock.begin("a")
    assert clock.tell() == "no estimate yet"


def test_what_is_known_is_shared_by_the_workers_and_stands_for_what_is_not() -> None:
    assert Clock({"a": 10.0, "b": 20.0, "c": None}, 3).tell() == "about 15 s left"
    assert Clock({"a": 10.0}, 3).tell() == "about 10 s left"


def test_time_that_runs_have_spent_is_not_left() -> None:
    now = Time()
    clock = Clock({"a": 10.0, "b": 20.0}, 2, now)
    clock.begin("a")
    clock.begin("b")
    now.value = 8.0
    assert clock.tell() == "about 7 s left"
    now.value = 12.0
    assert clock.tell() == "about 4 s left"


def test_a_slower_machine_makes_the_rest_longer() -> None:
    now = Time()
    clock = Clock({"a": 10.0, "b": 30.0, "c": None}, 1, now)
    clock.begin("a")
    now.value = 20.0
    assert clock.end("a") == 20.0
    assert clock.tell() == "about 80 s left"  # twice 30, and 20 as the one before


def test_at_the_end_the_whole_time_is_told() -> None:
    now = Time()
    clock = Clock({"a": None}, 1, now)
    clock.begin("a")
    now.value = 3700.0
    clock.end("a")
    assert clock.tell() == "1 h 02 min in all"


def test_times_are_for_a_person() -> None:
    found = [show_time(seconds) for seconds in (0, 119, 121, 3599, 3660, 7260)]
    assert found == ["0 s", "119 s", "2 min", "1 h 00 min", "1 h 01 min", "2 h 01 min"]
