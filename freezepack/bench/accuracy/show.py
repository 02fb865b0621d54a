"""Progress of many runs on stderr: a bar on a terminal, a line for each run elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from freezepack.bench.accuracy.pool import Event
from freezepack.bench.accuracy.work import Job
from freezepack.train.config import RunConfig


class Display:
    """Tells what has been done, what failed, and how long the rest will take.

    Parameters
    ----------
    stream : text stream
        Where to; a bar is drawn if it is a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._costs: dict[str, float] = {}
        self._left: set[str] = set()
        self._total, self._workers, self._began = 0, 1, 0.0
        self._started: dict[str, float] = {}
        self._rows: dict[str, list[str]] = {}
        self._bar: Progress | None = None

    @contextmanager
    def showing(
        self, jobs: Sequence[Job], costs: Sequence[float | None], workers: int
    ) -> Iterator[None]:
        """Show the bar while the block runs."""
        known = [cost for cost in costs if cost is not None]
        usual = sum(known) / len(known) if known else 0.0
        pairs = zip(jobs, costs, strict=True)
        self._costs = {job.config.hash: usual if cost is None else cost for job, cost in pairs}
        self._left = set(self._costs)
        self._total, self._workers, self._began = len(jobs), workers, monotonic()
        if not self._console.is_terminal:
            yield
            self._tell_left()
            return
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[rest]}"),
        )
        with Progress(*columns, console=self._console) as self._bar:
            self._bar.add_task("", total=self._total, rest=self._rest())
            yield
        self._bar = None
        self._tell_left()

    def _tell_left(self) -> None:
        if self._left:
            told = f"{len(self._left)} of {self._total} runs are left: the time is over"
            self._console.print(told, markup=False)

    def show(self, event: Event[Job]) -> None:
        """Tell of an event."""
        key = event.job.config.hash
        if event.kind == "begun":
            self._started[key] = monotonic()
        elif event.kind == "part":
            row = event.content[0]
            told = f"{row['values']} {float(row['test_accuracy']):.2%} {row['file_bytes']} bytes"
            self._rows.setdefault(key, []).append(told)
        else:
            self._finish(event, key)

    def _finish(self, event: Event[Job], key: str) -> None:
        spent = monotonic() - self._started[key]
        self._left.discard(key)
        self._learn(key, spent)
        told = ", ".join(self._rows.pop(key, [])) or "done"
        if event.kind == "failed":
            told = f"FAILED: {event.content}"
        head = f"{describe(event.job.config)}: {told}, {spent:.0f} s"
        if self._bar is not None:
            done = self._total - len(self._left)
            self._bar.update(self._bar.task_ids[0], completed=done, rest=self._rest())
            self._console.print(head, markup=False)
        else:
            count = f"{self._total - len(self._left)}/{self._total}"
            self._console.print(f"{count} {head}; {self._rest()}", markup=False)

    def _learn(self, key: str, spent: float) -> None:
        """Correct the costs of what is left by those of what is done, where nothing was known."""
        if self._costs[key] == 0.0:
            for other in self._left:
                self._costs[other] = self._costs[other] or spent
        self._costs[key] = spent

    def _rest(self) -> str:
        if not self._left:
            return f"{show_time(monotonic() - self._began)} in all"
        rest = sum(self._costs[key] for key in self._left) / self._workers
        return f"about {show_time(rest)} left" if rest else "no estimate yet"


def describe(config: RunConfig) -> str:
    """Return a run in a few words.

    Examples
    --------
    >>> describe(RunConfig(data="digits", strategy="force"))
    'lenet5-caffe digits q=0.995 seed s1 snip force, 74bc5e3fe9f0e12c'
    """
    words: list[Any] = [config.model, config.data, f"q={config.freezing_rate}"]
    words += [config.fill, f"s{config.seed}"]
    if config.method != "freeze":
        words.append(config.method)
    else:
        words += [config.score] + ([config.strategy] if config.strategy != "one-shot" else [])
    return f"{' '.join(map(str, words))}, {config.hash}"


def show_time(seconds: float) -> str:
    """Return a time span for a person.

    Examples
    --------
    >>> show_time(59), show_time(3700)
    ('59 s', '1 h 02 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60:02} min"
        if minutes >= 120 or minutes > 60
        else f"{minutes} min"
    )
