"""`freezepack bench accuracy`: train what experiments ask for, one row for each run."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freezepack.cli.options import data_dir_option, device_option, format_table

if TYPE_CHECKING:
    from freezepack.bench.accuracy.experiment import Experiment
    from freezepack.bench.accuracy.rows import Row
    from freezepack.bench.accuracy.run import AccuracyRun
    from freezepack.bench.accuracy.work import Tools

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
@click.option(
    "--list", "mode", flag_value="list", help="Show what there is and what is to do, and stop."
)
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
    type=click.Choice(["given", "seeds", "random"]),
    default="given",
    show_default=True,
    help="Of the runs; seeds: all of one seed before the next.",
)
@click.option(
    "--repack",
    "mode",
    flag_value="repack",
    help="Write the packs of finished runs anew, and their bytes into the table.",
)
@click.option(
    "--config",
    metavar="HASH",
    help="Repeat the run of this row in a fresh folder, and show both; the table stays.",
)
@click.option(
    "--merge",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Add the rows of another table, made on another machine.",
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
    mode: str | None,
    only: tuple[str, ...],
    jobs: int | None,
    time_limit: float | None,
    order: str,
    config: str | None,
    merge: Path | None,
    keep_stale: bool,
    keep_packs: Path | None,
    data_dir: Path | None,
    device: str,
) -> None:
    """Train, pack and score what EXPERIMENTS ask for and the table does not have yet.

    EXPERIMENTS are TOML files, as in benchmarks/accuracy. Each run takes one thread. Interrupt at
    any time; the next call goes on. The test set is touched once for each pack, by the pack read
    back from its file.
    """
    from freezepack.cli.extras import require_torch

    require_torch("freezepack bench accuracy")
    from freezepack.bench.accuracy.plan import parse_only
    from freezepack.bench.accuracy.rows import merge_rows, read_rows
    from freezepack.bench.accuracy.run import AccuracyRun, repack, run_accuracy
    from freezepack.bench.accuracy.show import Display
    from freezepack.cli.bench_tools import TOOLS
    from freezepack.train.device import find_device

    find_device(device)
    try:
        wanted = parse_only(only)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--only") from None
    if merge is not None:
        merge_rows(output, read_rows(merge))
        if not experiments and config is None:
            return
    run = AccuracyRun(
        _load(experiments, mode, needed=config is None),
        output,
        runs,
        wanted,
        jobs or _cores(),
        device,
        data_dir,
        keep_packs,
        keep_stale,
        order,
        time_limit,
    )
    if config is not None:
        click.echo(compare(run, config, TOOLS))
    elif mode == "list":
        click.echo(list_plan(run))
    else:
        failed = (repack if mode else run_accuracy)(run, TOOLS, Display(sys.stderr))
        if failed:
            raise click.ClickException(f"{failed} runs failed; all others are in {output}")


def _load(paths: tuple[Path, ...], mode: str | None, *, needed: bool) -> list[Experiment]:
    """Read the experiments; all of them where nothing is trained for it."""
    from freezepack.bench.accuracy.experiment import load_experiment

    found = paths or (tuple(sorted(EXPERIMENTS.glob("*.toml"))) if mode else ())
    if needed and not found:
        raise click.UsageError(f"name EXPERIMENTS, as in {EXPERIMENTS}/lenet5-mnist.toml")
    loaded = [load_experiment(path) for path in found]
    names = [experiment.name for experiment in loaded]
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise click.UsageError(f"two EXPERIMENTS have the same name: {', '.join(sorted(double))}")
    return loaded


def compare(run: AccuracyRun, config: str, tools: Tools) -> str:
    """Repeat the run of a row; return a table of what it was and is.

    Raises
    ------
    click.ClickException
        If the run has failed.
    """
    from freezepack.bench.accuracy.run import rerun
    from freezepack.bench.accuracy.show import Display

    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S")
    folder = run.runs / f"again-{config}-{now}"
    pairs = rerun(run, config, folder, tools, Display(sys.stderr))
    if not pairs:
        raise click.ClickException("the run failed")
    header = ["values", "", "test", "validation", "bytes", "trained", "code", "commit", "versions"]
    lines = [line for old, new in pairs for line in (_line(old, "table"), _line(new, "now"))]
    return f"{format_table(header, lines, left=2)}\n\n{folder}"


def _line(row: Row, name: str) -> list[str]:
    accuracies = [f"{float(row[key]):.4%}" for key in ("test_accuracy", "validation_accuracy")]
    counts = [f"{int(row[key]):,}" for key in ("file_bytes", "trained_weights")]
    facts = [row[key] for key in ("code", "commit", "versions")]
    return [row["values"], name, *accuracies, *counts, *facts]


def _cores() -> int:
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1


def list_plan(run: AccuracyRun) -> str:
    """Return what there is and what is to do, with an estimate."""
    from freezepack.bench.accuracy.clock import show_time
    from freezepack.bench.accuracy.plan import estimate
    from freezepack.bench.accuracy.rows import read_rows
    from freezepack.bench.accuracy.show import describe

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
