"""`freezepack bench`: measurements, written as tables."""

from __future__ import annotations

from pathlib import Path

import click

from freezepack.cli.options import data_dir_option, force_option


@click.group(short_help="Measure sizes and write tables.")
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
