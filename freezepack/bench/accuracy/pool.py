"""Processes that are started once and do one job after another.

A worker is a fresh process: importing torch takes seconds, so it is kept. One that dies takes its
job with it and is replaced. When the parent goes, however it does, so do the workers.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar, cast

from freezepack.errors import FreezepackError

J = TypeVar("J")


@dataclass(frozen=True, slots=True)
class Event(Generic[J]):
    """Something that a job has come to.

    Attributes
    ----------
    kind : {"begun", "part", "done", "failed"}
        "part" comes with something that the job has yielded, "failed" with a text.
    """

    kind: str
    job: J
    content: Any = None


def run_jobs(
    jobs: Iterable[J], work: Callable[[J], Iterable[Any]], workers: int
) -> Generator[Event[J], None, None]:
    """Do jobs, several at a time, and tell what they come to as they do.

    Parameters
    ----------
    jobs : iterable
        Asked for the next one when a worker is free; it may end early.
    work : callable
        Gives parts of the result of a job. It and the jobs must be sendable to another process.
    workers : int
        Number of processes, 1 or more.
    """
    pool = _Pool(work)
    left = iter(jobs)
    try:
        while True:
            while len(pool.busy) < workers:
                job = next(left, None)
                if job is None:
                    break
                pool.give(job)
                yield Event("begun", job)
            if not pool.busy:
                return
            yield from pool.hear()
    finally:
        pool.close()


class _Pool(Generic[J]):
    """Workers with something to do, and those without."""

    def __init__(self, work: Callable[[J], Iterable[Any]]) -> None:
        self._work = work
        self._context = multiprocessing.get_context("spawn")
        self._idle: list[tuple[Any, Connection]] = []
        self.busy: dict[Connection, tuple[Any, J]] = {}

    def give(self, job: J) -> None:
        """Let a worker begin a job."""
        while self._idle:
            process, connection = self._idle.pop()
            try:
                connection.send(job)
            except OSError:  # it has died while it had nothing to do
                process.join()
            else:
                self.busy[connection] = (process, job)
                return
        process, connection = self._start()
        connection.send(job)
        self.busy[connection] = (process, job)

    def hear(self) -> Iterator[Event[J]]:
        """Wait until a worker says something, and tell it."""
        for ready in wait(list(self.busy)):
            connection = cast(Connection, ready)
            process, job = self.busy[connection]
            try:
                kind, content = connection.recv()
            except (EOFError, OSError):
                process.join()
                del self.busy[connection]
                yield Event("failed", job, f"the process ended with code {process.exitcode}")
                continue
            if kind != "part":
                del self.busy[connection]
                self._idle.append((process, connection))
            yield Event(kind, job, content)

    def close(self) -> None:
        """End all workers; what they do is lost since its last checkpoint."""
        everyone = [process for process, _ in self._idle]
        everyone += [process for process, _ in self.busy.values()]
        for process in everyone:
            process.terminate()
        for process in everyone:
            process.join()

    def _start(self) -> tuple[Any, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        process.start()
        theirs.close()
        return process, ours


def _serve(connection: Connection, work: Callable[[Any], Iterable[Any]]) -> None:
    """Do one job after another; the worker's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    threading.Thread(target=_follow_parent, daemon=True).start()
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            for part in work(job):
                connection.send(("part", part))
        except FreezepackError as error:
            connection.send(("failed", str(error)))
        except Exception:
            connection.send(("failed", traceback.format_exc()))
        else:
            connection.send(("done", None))


def _follow_parent() -> None:
    """End this process as soon as the parent has ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
