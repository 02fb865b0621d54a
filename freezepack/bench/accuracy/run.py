"""`freezepack bench accuracy`: do what is missing, and write rows as they come."""

import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import torch

from freezepack.bench.accuracy.experiment import Experiment
from freezepack.bench.accuracy.plan import Only, Plan, estimate, make_plan
from freezepack.bench.accuracy.pool import run_jobs
from freezepack.bench.accuracy.rows import Row, add_rows, read_rows
from freezepack.bench.accuracy.show import Display
from freezepack.bench.accuracy.work import Job, Place, Tools, do_job
from freezepack.bench.machine import describe_machine, find_commit


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
    shuffle: bool = False
    time_limit: float | None = None

    def plan(self) -> Plan:
        """Return what is to be done."""
        return make_plan(
            self.experiments,
            read_rows(self.output),
            self.runs,
            only=self.only,
            keep_stale=self.keep_stale,
            shuffle=self.shuffle,
        )


def run_accuracy(run: AccuracyRun, tools: Tools, display: Display) -> int:
    """Do what is missing; return how many runs have failed.

    Each row is in the table as soon as it is known, and an interrupted run goes on from its last
    epoch the next time.
    """
    plan, rows = run.plan(), read_rows(run.output)
    if plan.copies:
        add_rows(run.output, plan.copies)
    place = Place(machine_facts(run.device), run.data_dir, run.device, run.packs)
    costs = [estimate(job.config, rows, run.device) for job in plan.jobs]
    failed = 0
    os.environ["OMP_NUM_THREADS"] = "1"  # of the workers
    work = functools.partial(work_alone, place=place, tools=tools)
    with display.showing(plan.jobs, costs, run.jobs):
        for event in run_jobs(_until(plan.jobs, run.time_limit), work, run.jobs):
            if event.kind == "part":
                add_rows(run.output, event.content)
            failed += event.kind == "failed"
            display.show(event)
    return failed


def work_alone(job: Job, place: Place, tools: Tools) -> Iterator[list[Row]]:
    """Do a job with one thread, in a process of its own."""
    from freezepack import native

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
