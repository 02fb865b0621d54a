"""The way back from a number: its runs, their configurations, and the command for a rerun."""

from collections.abc import Sequence

from freezepack.bench.report.distortion import name_point
from freezepack.bench.report.groups import Group
from freezepack.bench.report.inputs import Asked
from freezepack.bench.report.rows import LOSSLESS
from freezepack.bench.report.show import NONE, name_recipe
from freezepack.bench.report.sources import FOLDER, cover_experiments
from freezepack.bench.tables import Cell, Table

HOW = (
    "Each row of a table above names its runs by the first digits of a configuration; here are all "
    "of its seeds, as `seed: configuration`. `grep` finds a configuration in "
    "[accuracy.csv](accuracy.csv), where everything measured about the run stands; the experiment "
    f"is a file in `{FOLDER}/`. Training repeats bit for bit only with the same versions, number "
    "of threads and kind of processor; elsewhere expect the stated spread. To repeat one and see "
    "both results:"
)


def runs_table(groups: Sequence[Group]) -> Table:
    """Return a row for each setup: experiment, code, and a configuration for each seed."""
    rows: list[list[Cell]] = []
    seen = set()
    for group in sorted(groups, key=lambda group: (_place(group), group.key)):
        if group.key not in seen:
            seen.add(group.key)
            rows.append(_cells(group))
    columns = ["runs", "network, data", "what", "training", "experiment", "code", "seeds"]
    return Table("", columns, rows)


def _place(group: Group) -> tuple[str, str, float, str, bool]:
    setup = group.setup
    what = f"{name_recipe(setup)} {setup.score} {setup.strategy} {setup.options} {setup.scheme}"
    return setup.data, setup.model, setup.rate, f"{what} {setup.fill}", group.values != LOSSLESS


def _cells(group: Group) -> list[Cell]:
    setup = group.setup
    what = name_point(group).rpartition(", ")[0]
    codes = sorted({run.code for run in group.runs})
    return [
        f'<a id="run-{group.key}"></a>`{group.key}`',
        f"{setup.model}, {setup.data}",
        what,
        name_recipe(setup),
        ", ".join(cover_experiments(group.runs)),
        " ".join(f"`{code}`" for code in codes),
        " ".join(f"{run.seed}: `{run.config}`" for run in group.runs),
    ]


def rerun(group: Group) -> str:
    """Return the command that repeats the first seed of a group and shows both results."""
    return f"    freezepack bench accuracy --config {group.runs[0].config}"


def asked_table(asked: Sequence[Asked]) -> Table:
    """Return what experiments ask for and what is there; what is missing has its command."""
    rows: list[list[Cell]] = []
    for entry in asked:
        state = "complete" if entry.there == entry.rows else "incomplete"
        state = state if entry.there else "**not measured**"
        command = NONE if entry.there == entry.rows else f"`{entry.command}`"
        rows.append([entry.name, state, f"{entry.there:,} of {entry.rows:,}", command])
    return Table("", ["experiment", "state", "rows", "command for the rest"], rows)
