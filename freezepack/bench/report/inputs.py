"""All that a report is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from freezepack.bench.report.arrange import CIFAR, Study, arrange
from freezepack.bench.report.groups import Group, group_runs
from freezepack.bench.report.parts import FileSize, read_sizes
from freezepack.bench.report.points import Published, Record, read_published, read_records
from freezepack.bench.report.rows import Run, keep_newest, read_runs
from freezepack.bench.report.sources import command_of
from freezepack.errors import InputError

ACCURACY, SIZES = "accuracy.csv", "size-files.csv"
PUBLISHED, RECORDS = "published.csv", "records.csv"


@dataclass(frozen=True, slots=True)
class Asked:
    """An experiment: how many rows it asks for, how many there are, and how to make the others."""

    name: str
    rows: int
    there: int
    command: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was read.

    Attributes
    ----------
    older : sequence of Run
        Results that newer ones of the same configuration replace.
    """

    groups: Sequence[Group]
    older: Sequence[Run]
    studies: Sequence[Study]
    records: Sequence[Record]
    published: Sequence[Published]
    sizes: Sequence[FileSize]
    asked: Sequence[Asked]


def read_inputs(results: Path, experiments: Path) -> Inputs:
    """Read the tables of a folder; all but accuracy.csv may be missing.

    Parameters
    ----------
    results, experiments : path
        Folders of tables and of TOML files; without the latter it is left open what is missing.

    Raises
    ------
    InputError
        If a table is not what it should be, or accuracy.csv is missing or has no rows.
    """
    path = results / ACCURACY
    rows = read_runs(path)
    if not rows:
        raise InputError(f"{path} has no rows: freezepack bench accuracy adds them")
    runs, older = keep_newest(rows)
    groups = group_runs(runs)
    return Inputs(
        groups,
        older,
        arrange(groups),
        read_records(results / RECORDS),
        read_published(results / PUBLISHED),
        read_sizes(results / SIZES),
        _ask(experiments, rows),
    )


def _ask(folder: Path, rows: Sequence[Run]) -> list[Asked]:
    """Compare what experiments ask for with the rows that are there."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        return []
    from freezepack.bench.accuracy.experiment import load_experiment

    known = {(run.config, run.values) for run in rows}
    found = []
    for path in paths:
        experiment = load_experiment(path)
        wanted = {(c.hash, values) for c in experiment.configs for values in experiment.values}
        is_large = any(config.data in CIFAR for config in experiment.configs)
        command = command_of(experiment.name) + (" --device cuda" if is_large else "")
        found.append(Asked(experiment.name, len(wanted), len(wanted & known), command))
    return found
