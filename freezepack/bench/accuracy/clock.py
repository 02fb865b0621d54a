"""How long runs take, and what is left of them."""

from collections.abc import Callable, Mapping
from time import monotonic


class Clock:
    """Estimates the rest from what runs were expected to take and what they take now.

    Parameters
    ----------
    costs : mapping of str to float or None
        Run to the seconds that it is likely to take.
    workers : int
        Runs at a time.
    now : callable
        The time in seconds.

    Examples
    --------
    >>> times = iter([0, 0, 20, 20])
    >>> clock = Clock({"a": 10.0, "b": 30.0}, 1, lambda: next(times))
    >>> clock.begin("a")
    >>> clock.end("a"), clock.tell()
    (20, 'about 60 s left')
    """

    def __init__(
        self,
        costs: Mapping[str, float | None],
        workers: int,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._left = dict(costs)
        self._workers, self._now = workers, now
        self._start = now()
        self._begun: dict[str, float] = {}
        self._spent: list[tuple[float, float | None]] = []

    def begin(self, key: str) -> None:
        """Note that a run has begun."""
        self._begun[key] = self._now()

    def end(self, key: str) -> float:
        """Note that a run has ended; return the seconds it took."""
        spent = self._now() - self._begun.pop(key)
        self._spent.append((spent, self._left.pop(key)))
        return spent

    def tell(self) -> str:
        """Return the time that is left, for a person."""
        now = self._now()
        if not self._left:
            return f"{show_time(now - self._start)} in all"
        known = [(spent, cost) for spent, cost in self._spent if cost]
        expected = sum(cost for _, cost in known)
        pace = sum(spent for spent, _ in known) / expected if expected else 1.0
        usual = self._usual(pace)
        if usual is None:
            return "no estimate yet"
        rest = 0.0
        for key, cost in self._left.items():
            gone = now - self._begun[key] if key in self._begun else 0.0
            rest += max(0.0, (cost * pace if cost else usual) - gone)
        return f"about {show_time(rest / min(self._workers, len(self._left)))} left"

    def _usual(self, pace: float) -> float | None:
        """Return what a run takes of which nothing is known; None if nothing is known of any."""
        if self._spent:
            return sum(spent for spent, _ in self._spent) / len(self._spent)
        costs = [cost for cost in self._left.values() if cost]
        return pace * sum(costs) / len(costs) if costs else None


def show_time(seconds: float) -> str:
    """Return a time span for a person.

    Examples
    --------
    >>> show_time(59), show_time(3700)
    ('59 s', '1 h 02 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
