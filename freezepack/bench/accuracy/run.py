"""`freezepack bench accuracy`: do what is missing, and write rows as they come."""

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import torch

from freezepack import native
from freezepack.bench.accuracy.again import by_key, renew, repack_jobs, rerun_job
from freezepack.bench.accuracy.experiment import Experiment
from freezepack.bench.accuracy.plan import Only, Plan, estimate, make_plan
from freezepack.bench.accuracy.pool import run_jobs
from freezepack.bench.accuracy.rows import Row, add_rows, key_of, read_rows
from freezepack.bench.accuracy.show import Display
from freezepack.bench.accuracy.work import Job, Place, Tools, do_job
from freezepack.bench.machine import describe_machine, find_commit
from freezepack.train import load_data


@dataclass(frozen=True, slots=True)
class AccuracyRun:
    """What to do, and where; see `freezepack bench accuracy --help`."""

    experiments: Sequence[Experiment]
    output: Path
    runs: Path
    only: Only
    jobs: int = 1
    device: str = "cpu"
    data_dir: Path | None = None
    packs: Path | None = None
    keep_stale: bool = False
    order: str = "given"
    time_limit: float | None = None

    def plan(self) -> Plan:
        """Return what is to be done."""
        return make_plan(
            self.experiments,
            read_rows(self.output),
            self.runs,
            only=self.only,
            keep_stale=self.keep_stale,
            order=self.order,
        )


def run_accuracy(run: AccuracyRun, tools: Tools, display: Display) -> int:
    """Do what is missing; return how many runs have failed.

    Each row is in the table as soon as it is known, and an interrupted run goes on from its last
    epoch the next time.

    Raises
    ------
    DataError
        If a data set is missing.
    """
    plan = run.plan()
    if plan.copies:
        add_rows(run.output, plan.copies)
    return _do(run, plan.jobs, tools, display, lambda rows: add_rows(run.output, rows))


def repack(run: AccuracyRun, tools: Tools, display: Display) -> int:
    """Write the packs of all rows of the experiments anew; return how many have failed.

    Nothing is trained: the format has changed, and the runs are still there.
    """
    rows = read_rows(run.output)
    old, names = by_key(rows), [experiment.name for experiment in run.experiments]

    def take(found: Sequence[Row]) -> None:
        add_rows(run.output, [renew(old[key_of(row)], row) for row in found])

    return _do(run, repack_jobs(rows, names, run.only, run.runs), tools, display, take)


def rerun(
    run: AccuracyRun, config: str, folder: Path, tools: Tools, display: Display
) -> list[tuple[Row, Row]]:
    """Repeat the run of a row in a fresh folder; return old and new rows, and write none.

    The list is empty if the run has failed.
    """
    job, old = rerun_job(read_rows(run.output), config, folder)
    pairs: list[tuple[Row, Row]] = []

    def take(found: Sequence[Row]) -> None:
        pairs.extend((old[row["values"]], row) for row in found)

    return [] if _do(run, [job], tools, display, take) else pairs


def _do(
    run: AccuracyRun,
    jobs: Sequence[Job],
    tools: Tools,
    display: Display,
    take: Callable[[Sequence[Row]], None],
) -> int:
    """Do jobs, several at a time; return how many have failed."""
    for name in {job.config.data for job in jobs}:
        load_data(name, run.data_dir)  # what is missing is missing for all of them
    rows = read_rows(run.output)
    place = Place(machine_facts(run.device), run.data_dir, run.device, run.packs)
    costs = [estimate(job.config, rows, run.device) for job in jobs]
    os.environ["OMP_NUM_THREADS"] = "1"  # of the workers, who inherit it
    work = functools.partial(work_alone, place=place, tools=tools)
    failed = 0
    events = run_jobs(_until(jobs, run.time_limit), work, run.jobs)
    with display.showing(jobs, costs, run.jobs), closing(events):
        for event in events:
            if event.kind == "part":
                take(event.content)
            failed += event.kind == "failed"
            display.show(event)
    return failed


def work_alone(job: Job, place: Place, tools: Tools) -> Iterator[list[Row]]:
    """Do a job with one thread, in a process of its own."""
    torch.set_num_threads(1)
    native.set_num_threads(1)
    yield from do_job(job, place, tools)


def _until(jobs: Sequence[Job], limit: float | None) -> Iterator[Job]:
    """Give jobs until the time is over."""
    began = monotonic()
    for job in jobs:
        if limit is not None and monotonic() - began >= limit:
            return
        yield job


def machine_facts(device: str) -> Row:
    """Return the columns that say where and with what something is run."""
    facts = describe_machine()
    machine = facts["processor"].partition(",")[0]
    if torch.device(device).type == "cuda":
        machine = f"{torch.cuda.get_device_name(device)}, {machine}"
    packages = [p for p in facts["packages"].split(", ") if p.split()[0] in ("numpy", "torch")]
    versions = [f"python {facts['python']}", *packages, f"kernel {facts['kernel']}"]
    return {"machine": machine, "versions": ", ".join(versions), "commit": find_commit()}
