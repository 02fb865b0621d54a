"""Progress of many runs on stderr: a bar on a terminal, a line for each run elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeElapsedColumn,
)
from rich.text import Text

from freezepack.bench.accuracy.clock import Clock
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
        self._clock = Clock({}, 1)
        self._total, self._done = 0, 0
        self._rows: dict[str, list[str]] = {}
        self._bar: Progress | None = None

    @contextmanager
    def showing(
        self, jobs: Sequence[Job], costs: Sequence[float | None], workers: int
    ) -> Iterator[None]:
        """Show the bar while the block runs, and at its end what is left.

        Parameters
        ----------
        costs : sequence of float or None
            Seconds that each job is likely to take.
        """
        pairs = zip(jobs, costs, strict=True)
        self._clock = Clock({job.config.hash: cost for job, cost in pairs}, workers)
        self._total, self._done = len(jobs), 0
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), _Rest(self._clock))
        with ExitStack() as stack:
            if self._console.is_terminal:
                bar = Progress(*columns, console=self._console, refresh_per_second=2)
                self._bar = stack.enter_context(bar)
                self._bar.add_task("", total=self._total)
            yield
        self._bar = None
        if self._done < self._total:
            told = f"{self._total - self._done} of {self._total} runs are left: the time is over"
            self._console.print(told, markup=False)

    def show(self, event: Event[Job]) -> None:
        """Tell of an event."""
        key = event.job.config.hash
        if event.kind == "begun":
            self._clock.begin(key)
        elif event.kind == "part":
            row = event.content[0]
            told = f"{row['values']} {float(row['test_accuracy']):.2%} {row['file_bytes']} bytes"
            self._rows.setdefault(key, []).append(told)
        else:
            self._finish(event, key)

    def _finish(self, event: Event[Job], key: str) -> None:
        self._done += 1
        spent = self._clock.end(key)
        told = ", ".join(self._rows.pop(key, [])) or "done"
        if event.kind == "failed":
            told = f"FAILED: {event.content}"
        line = f"{describe(event.job.config)}: {told}, {spent:.0f} s"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done)
        else:
            line = f"{self._done}/{self._total} {line}; {self._clock.tell()}"
        self._console.print(line, markup=False)


class _Rest(ProgressColumn):
    """The time that is left, as the clock has it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def render(self, task: Task) -> Text:
        """Return it as text."""
        return Text(self._clock.tell())


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
