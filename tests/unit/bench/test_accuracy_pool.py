"""Processes do all jobs, whatever happens to some of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import pytest

from freezepack.bench.accuracy.pool import run_jobs
from freezepack.errors import DataError

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def work(job: str) -> Iterator[str]:
    """Do what a text says."""
    if job == "refuse":
        raise DataError("no such data")
    if job == "break":
        raise ZeroDivisionError("a mistake")
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    yield f"{job} 1"
    yield f"{job} 2"


def pids(job: int) -> Iterator[int]:
    yield os.getpid()


def sleepy(job: Path) -> Iterator[int]:
    yield os.getpid()
    sleep(60)


def test_parts_come_in_order_and_processes_are_kept() -> None:
    events = list(run_jobs(range(4), pids, 1))
    assert [event.kind for event in events] == ["begun", "part", "done"] * 4
    assert [event.job for event in events[::3]] == [0, 1, 2, 3]
    found = {event.content for event in events if event.kind == "part"}
    assert len(found) == 1
    assert os.getpid() not in found


def test_what_fails_is_told_and_the_rest_is_done() -> None:
    events = list(run_jobs(["a", "refuse", "break", "die", "b"], work, 2))
    failed = {event.job: event.content for event in events if event.kind == "failed"}
    assert failed["refuse"] == "no such data"
    assert failed["break"].endswith("ZeroDivisionError: a mistake\n")
    assert failed["die"] == "the process ended with code -9"
    assert [event.job for event in events if event.kind == "done"] == ["a", "b"]
    parts = [event.content for event in events if event.kind == "part"]
    assert sorted(parts) == ["a 1", "a 2", "b 1", "b 2"]


@needs_proc
def test_no_more_processes_than_allowed_and_none_is_left() -> None:
    began = monotonic()
    with closing(run_jobs([Path()] * 5, sleepy, 2)) as events:
        first = [next(events) for _ in range(4)]
    assert sorted(event.kind for event in first) == ["begun", "begun", "part", "part"]
    found = [event.content for event in first if event.kind == "part"]
    assert not any(map(is_alive, found))
    assert monotonic() - began < 50


PARENT = """
from pathlib import Path
from freezepack.bench.accuracy.pool import run_jobs
from tests.unit.bench.test_accuracy_pool import sleepy
if __name__ == "__main__":
    for event in run_jobs([Path()], sleepy, 1):
        print(event.content, flush=True)
"""


@needs_proc
def test_workers_end_with_their_parent_even_if_it_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "None\n"
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
    until = monotonic() + 20
    while is_alive(worker) and monotonic() < until:
        sleep(0.05)
    assert not is_alive(worker)


def is_alive(pid: int) -> bool:
    """Return whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
