"""Timing in turns: in every round each job runs once, right after a reference of its own."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

Clock = Callable[[], float]
Call = Callable[[], object]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Job:
    """Something to time.

    Attributes
    ----------
    run : callable
        The work. What it returns is let go after the clock has stopped.
    beside : callable or None
        The reference: timed right before `run`, in every round.
    prepare : callable or None
        Called before every run, and not timed.
    """

    run: Call
    beside: Call | None = None
    prepare: Call | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How often jobs are timed.

    Attributes
    ----------
    most, least : int
        Rounds; the first round, which warms up, is not counted.
    seconds : float
        A job that has taken longer than this, reference included, sits out after `least` rounds.
    """

    most: int = 25
    least: int = 3
    seconds: float = 1.0


@dataclass(slots=True)
class Timing:
    """Seconds of one job, and of its reference, round by round."""

    seconds: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median of the seconds."""
        return median(self.seconds)

    @property
    def speed(self) -> float | None:
        """How many times as fast as the reference; None without one."""
        return median_ratio(self.beside, self.seconds) if self.beside else None


def take_turns(
    jobs: Mapping[Key, Job], pace: Pace, clock: Clock = time.perf_counter
) -> dict[Key, Timing]:
    """Time all jobs round after round.

    Parameters
    ----------
    jobs : mapping of name to Job
        Run in this order, every round.
    pace : Pace
        When to stop.
    clock : callable
        Returns seconds.

    Returns
    -------
    dict of name to Timing
        Without the round that warms up.

    Examples
    --------
    >>> ticks = iter(range(100))
    >>> found = take_turns({"a": Job(list)}, Pace(most=2), lambda: float(next(ticks)))
    >>> found["a"].seconds
    [1.0, 1.0]
    """
    found = {name: Timing() for name in jobs}
    spent = dict.fromkeys(jobs, 0.0)
    for turn in range(pace.most + 1):
        for name, job in jobs.items():
            if turn > pace.least and spent[name] > pace.seconds:
                continue
            beside = _timed(job.beside, clock) if job.beside else 0.0
            if job.prepare:
                job.prepare()
            seconds = _timed(job.run, clock)
            spent[name] += beside + seconds
            if turn:
                found[name].seconds.append(seconds)
            if turn and job.beside:
                found[name].beside.append(beside)
    return found


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median of the ratios round by round, as far as both went.

    Raises
    ------
    ValueError
        If no round has both, or the clock stood still.

    Examples
    --------
    >>> median_ratio([2.0, 9.0, 4.0], [1.0, 1.0, 2.0, 5.0])
    2.0
    """
    pairs = list(zip(above, below, strict=False))
    if not pairs or any(second <= 0 for _, second in pairs):
        raise ValueError(f"{len(pairs)} rounds to compare, expected 1 or more with time")
    return median(first / second for first, second in pairs)


def _timed(run: Call, clock: Clock) -> float:
    begin = clock()
    made = run()
    seconds = clock() - begin
    del made
    return seconds
