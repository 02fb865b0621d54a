"""`freezepack bench accuracy`: train what experiments ask for, one row for each run."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freezepack.cli.options import data_dir_option, device_option, format_table

if TYPE_CHECKING:
    from freezepack.bench.accuracy.run import AccuracyRun
    from freezepack.bench.accuracy.work import Place
    from freezepack.train import Result, RunConfig

EXPERIMENTS = Path("benchmarks/accuracy")


@click.command(short_help="Accuracy and bytes of trained networks, from TOML files.")
@click.argument(
    "experiments", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("benchmarks/results/accuracy.csv"),
    show_default=True,
    metavar="PATH",
    help="Table to which rows are added.",
)
@click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/bench"),
    show_default=True,
    metavar="DIR",
    help="Folder of the runs; interrupted ones go on from there.",
)
@click.option("--list", "show", is_flag=True, help="Show what there is and what is to do.")
@click.option(
    "--only",
    multiple=True,
    metavar="FIELD=VALUE,...",
    help="Only such runs: freezing_rate=0.995,seed=1|2; also experiment=, values=.",
)
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time. [default: cores]")
@click.option("--time-limit", type=click.FloatRange(0), metavar="SECONDS", help="Then begin none.")
@click.option(
    "--order",
    type=click.Choice(["given", "random"]),
    default="given",
    show_default=True,
    help="Of the runs; any beginning of a random one tells something of all.",
)
@click.option("--keep-stale", is_flag=True, help="Do not repeat runs of other code.")
@click.option(
    "--keep-packs",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Copy each pack to DIR.",
)
@data_dir_option
@device_option
def accuracy(
    experiments: tuple[Path, ...],
    output: Path,
    runs: Path,
    show: bool,
    only: tuple[str, ...],
    jobs: int | None,
    time_limit: float | None,
    order: str,
    keep_stale: bool,
    keep_packs: Path | None,
    data_dir: Path | None,
    device: str,
) -> None:
    """Train, pack and score what EXPERIMENTS ask for and the table does not have yet.

    EXPERIMENTS are TOML files, as in benchmarks/accuracy. Each run takes one thread.
    The test set is touched once for each pack, by the pack read back from its file.
    """
    from freezepack.cli.extras import require_torch

    require_torch("freezepack bench accuracy")
    from freezepack.bench.accuracy.experiment import load_experiment
    from freezepack.bench.accuracy.plan import parse_only
    from freezepack.bench.accuracy.run import AccuracyRun, run_accuracy
    from freezepack.bench.accuracy.show import Display
    from freezepack.bench.accuracy.work import Tools
    from freezepack.train.device import find_device

    paths = experiments or (tuple(sorted(EXPERIMENTS.glob("*.toml"))) if show else ())
    if not paths:
        raise click.UsageError(f"name EXPERIMENTS, as in {EXPERIMENTS}/lenet5-mnist.toml")
    try:
        wanted = parse_only(only)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--only") from None
    find_device(device)
    run = AccuracyRun(
        [load_experiment(path) for path in paths],
        output,
        runs,
        wanted,
        jobs or _cores(),
        device,
        data_dir,
        keep_packs,
        keep_stale,
        order == "random",
        time_limit,
    )
    if show:
        click.echo(list_plan(run))
        return
    tools = Tools(train=train_run, round=round_run, score=score_pack)
    failed = run_accuracy(run, tools, Display(sys.stderr))
    if failed:
        raise click.ClickException(f"{failed} runs failed; all others are in {output}")


def _cores() -> int:
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1


def list_plan(run: AccuracyRun) -> str:
    """Return what there is and what is to do, with an estimate."""
    from freezepack.bench.accuracy.plan import estimate
    from freezepack.bench.accuracy.rows import read_rows
    from freezepack.bench.accuracy.show import describe, show_time

    plan, rows = run.plan(), read_rows(run.output)
    table = format_table(
        ["experiment", "finished", "stale", "missing"],
        [[s.experiment, f"{s.finished}", f"{s.stale}", f"{s.missing}"] for s in plan.statuses],
    )
    lines, total, unknown = [], 0.0, 0
    for job in plan.jobs:
        cost = estimate(job.config, rows, run.device)
        total, unknown = total + (cost or 0.0), unknown + (cost is None)
        values = " ".join(values for values, _ in job.wanted)
        time = "unknown time" if cost is None else f"about {show_time(cost)}"
        lines.append(f"{describe(job.config)}: {values}, {time}")
    span = show_time(total / run.jobs)
    end = f"{len(plan.jobs)} runs to do, about {span} with {run.jobs} at a time"
    end += f", and {unknown} of unknown time" if unknown else ""
    return "\n".join([*lines, *([""] if lines else []), table, "", end])


def train_run(config: RunConfig, folder: Path, place: Place) -> Result:
    """Train and pack, or go on with it."""
    from freezepack.cli.packing import train_and_pack

    return train_and_pack(
        config,
        folder,
        data_dir=place.data_dir,
        device=place.device,
        resume=True,
        progress=False,
    )


def round_run(checkpoint: Path, values: str, path: Path, config: RunConfig, place: Place) -> None:
    """Write a lossy pack, as `freezepack pack --values VALUES --data DATA` does."""
    from freezepack.checkpoints.bases import claim_base, parse_base
    from freezepack.checkpoints.read import read_state
    from freezepack.cli.rounding import Yardstick, is_lossy, round_state
    from freezepack.files import write_output
    from freezepack.pack.packer import pack_arrays

    with ExitStack() as stack:
        state = read_state(checkpoint)
        claims, bases = claim_base(parse_base(None), state, stack)
        yardstick = Yardstick(config.data, place.data_dir) if is_lossy(values) else Yardstick()
        rounded = round_state(state, claims, bases, values, yardstick)
        packed = pack_arrays(
            rounded.arrays if rounded else state.arrays,
            claims=claims,
            aliases=state.aliases,
            metadata=state.metadata,
            bases=bases,
            values="auto" if rounded else values,
            codecs=rounded.codecs if rounded else None,
            partial=state.partial,
        )
    write_output(path, packed.pieces, force=True)


def score_pack(path: Path, config: RunConfig, place: Place) -> float:
    """Return the accuracy on the test set of the network in a pack."""
    from freezepack.checkpoints.read import read_state
    from freezepack.cli.networks import network_of
    from freezepack.train import evaluate, load_data

    network = network_of(read_state(path))
    data = load_data(config.data, place.data_dir, splits=("test",), device=place.device)
    return evaluate(network.to(place.device), data, "test")
