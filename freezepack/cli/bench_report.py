"""`freezepack bench report`: tables of results as Markdown, pictures and one page."""

from __future__ import annotations

from pathlib import Path

import click

from freezepack.cli.options import force_option

RESULTS, EXPERIMENTS = Path("benchmarks/results"), Path("benchmarks/accuracy")


@click.command(short_help="Tables, pictures and a page from the results.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    metavar="DIR",
    help="Folder for report.md, report.html and the pictures.",
)
@click.option(
    "--results",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    metavar="DIR",
    help="Folder with accuracy.csv and the other tables.",
)
@click.option(
    "--experiments",
    type=click.Path(file_okay=False, path_type=Path),
    default=EXPERIMENTS,
    show_default=True,
    metavar="DIR",
    help="Folder with the TOML files that say what was asked for.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail unless DIR is up to date.")
@force_option
def report(output: Path, results: Path, experiments: Path, check: bool, force: bool) -> None:
    """Turn tables of results into Markdown, pictures for light and dark, and one HTML page."""
    from freezepack.bench.report.build import check_report, write_report
    from freezepack.cli.extras import require_torch

    if any(experiments.glob("*.toml")):
        require_torch("freezepack bench report")
    if not check:
        for path in write_report(results, experiments, output, force=force):
            click.echo(str(path))
        return
    problems = check_report(results, experiments, output)
    for problem in problems:
        click.echo(problem)
    if problems:
        text = f"{len(problems)} files differ: freezepack bench report --force writes them anew"
        raise click.ClickException(text)
