"""`freezepack bench`: measurements, written as tables."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freezepack.cli.options import data_dir_option, force_option, format_table, json_option
from freezepack.registry import Entry

if TYPE_CHECKING:
    from freezepack.bench.tables import Table

ELSEWHERE = {
    "accuracy": Entry("freezepack.cli.bench_accuracy:accuracy", "train experiments"),
    "report": Entry("freezepack.cli.bench_report:report", "tables and pictures of results"),
}
"""Commands that have a module of their own."""


class BenchGroup(click.Group):
    """The commands of this module, and those of `ELSEWHERE`, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names."""
        there = [k for k, entry in ELSEWHERE.items() if find_spec(entry.target.partition(":")[0])]
        return sorted([*super().list_commands(ctx), *there])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, if need be."""
        if cmd_name in ELSEWHERE and cmd_name in self.list_commands(ctx):
            command: click.Command = ELSEWHERE[cmd_name].load()
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=BenchGroup, short_help="Measure accuracy, sizes and speed, and write tables.")
def bench() -> None:
    """Measure, and write tables with the machine, versions and seeds they come from."""


@bench.command(short_help="Sizes of indices and of whole files, beside other programs.")
@click.argument("models", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("benchmarks/results"),
    show_default=True,
    metavar="DIR",
    help="Folder for the tables.",
)
@click.option("--case", "labels", multiple=True, metavar="NAME", help="Only this network.")
@click.option(
    "--rate",
    "rates",
    multiple=True,
    default=("0.999", "0.995", "0.99", "0.95"),
    show_default=True,
    metavar="RATE",
    help="Freezing rate.",
)
@click.option("--seeds", default="1,2,3", show_default=True, metavar="N,N,...", help="Seeds.")
@click.option("--masks/--no-masks", default=True, help="Measure SNIP masks of fresh networks.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/masks"),
    show_default=True,
    metavar="DIR",
    help="Folder in which masks are kept.",
)
@data_dir_option
@force_option
def size(
    models: tuple[Path, ...],
    output: Path,
    labels: tuple[str, ...],
    rates: tuple[str, ...],
    seeds: str,
    masks: bool,
    cache: Path,
    data_dir: Path | None,
    force: bool,
) -> None:
    """Measure index sizes on SNIP masks, and file sizes on MODELS: checkpoints or packs."""
    from freezepack.bench.size import SizeRun, run_size

    run = SizeRun(
        models=models,
        labels=labels,
        rates=rates,
        seeds=parse_seeds(seeds),
        masks=masks,
        cache=cache,
        data_dir=data_dir,
        output=output,
        force=force,
    )
    for path in run_size(run, lambda line: click.echo(line, err=True)):
        click.echo(str(path))


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds of a list like 1,2,3.

    Raises
    ------
    click.BadParameter
        If an entry is no whole number from 0 to 2**64 - 1.

    Examples
    --------
    >>> parse_seeds("1,2,3")
    (1, 2, 3)
    """
    entries = text.split(",")
    if not all(entry.strip().isdecimal() and int(entry) < 2**64 for entry in entries):
        raise click.BadParameter(f"{text!r} is not a list of whole numbers like 1,2,3")
    return tuple(int(entry) for entry in entries)


class Count(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since click 8.4
    """A whole number of at least 1, like 430500, 430k or 11M."""

    name = "count"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number, or fail with what was expected."""
        found = re.fullmatch(r"(\d{1,10})([kM]?)", str(value))
        number = int(found[1]) * {"": 1, "k": 10**3, "M": 10**6}[found[2]] if found else 0
        if not 1 <= number <= MOST_ELEMENTS:
            self.fail(f"{value!r} is no number from 1 to {MOST_ELEMENTS:,}, like 430k or 11M")
        return number


MOST_ELEMENTS = 10**9


@bench.command(short_help="Speed of the generator, of loading, decoding and starting.")
@click.option("--full", is_flag=True, help="Everything, in a quarter of an hour; else a selection.")
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="NAME",
    help="Only generator, load, decoding or startup.",
)
@click.option("--path", "paths", multiple=True, metavar="NAME", help='E.g. numpy, "native avx2".')
@click.option("--draw", "draws", multiple=True, metavar="NAME", help="normal, uniform, ...")
@click.option("--dtype", "dtypes", multiple=True, metavar="NAME", help="float32, bfloat16, ...")
@click.option("--size", "sizes", multiple=True, type=Count(), metavar="N", help="430k, 11M, ...")
@click.option("--threads", multiple=True, type=click.IntRange(1), metavar="N", help="Threads.")
@click.option("--rounds", type=click.IntRange(1), metavar="N", help="Rounds; else by time.")
@click.option(
    "--scratch",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the files that are loaded; on a disk, for cold loads.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write pages, JSON and pictures there.",
)
@click.option("--plot/--no-plot", default=None, help="Draw pictures. [default: with matplotlib]")
@json_option
@force_option
def speed(
    full: bool,
    parts: tuple[str, ...],
    paths: tuple[str, ...],
    draws: tuple[str, ...],
    dtypes: tuple[str, ...],
    sizes: tuple[int, ...],
    threads: tuple[int, ...],
    rounds: int | None,
    scratch: Path | None,
    output: Path | None,
    plot: bool | None,
    as_json: bool,
    force: bool,
) -> None:
    """Measure speed, in pairs with memcpy and beside other programs.

    --path, --draw, --dtype, --size and --threads choose fills; each may be given more than once.
    """
    from freezepack.bench.speed.cases import Wanted
    from freezepack.bench.speed.results import write_results
    from freezepack.bench.speed.run import SpeedRun, run_speed

    wanted = Wanted(paths, draws, dtypes, sizes, threads, full)
    run = SpeedRun(parts, wanted, rounds, scratch, output, plot, force)

    def report(line: str) -> None:
        click.echo(line, err=True)

    result = run_speed(run, report)
    if output is not None:
        pictures = run.draws_pictures
        for path in write_results(result, output, pictures=pictures, force=force):
            report(f"wrote {path}")
    if as_json:
        click.echo(result.to_json(), nl=False)
        return
    for part in result.rows:
        for table in result.tables(part):
            click.echo(f"{table.title}\n\n{_as_text(table)}\n")


def _as_text(table: Table) -> str:
    """Return a table for a terminal; columns of names are to the left."""
    from freezepack.bench.tables import show_cell

    names = [
        all(isinstance(cell, str) for cell in column) for column in zip(*table.rows, strict=True)
    ]
    left = names.index(False) if False in names else len(names)
    rows = [[show_cell(cell) for cell in row] for row in table.rows]
    return format_table(table.columns, rows, left=left)
