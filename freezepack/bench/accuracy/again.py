"""Rows that are there, looked at again: their packs written anew, or their runs repeated."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from freezepack.bench.accuracy.code import code_hash
from freezepack.bench.accuracy.experiment import LOSSLESS
from freezepack.bench.accuracy.plan import Only, run_folder
from freezepack.bench.accuracy.rows import Key, Row, config_of, key_of
from freezepack.bench.accuracy.work import Job
from freezepack.errors import UnknownNameError

SIZES = ("file_bytes", "header_bytes", "index_bytes", "value_bytes")
"""Columns that depend on how a pack is written."""


def repack_jobs(rows: Iterable[Row], names: Sequence[str], only: Only, runs: Path) -> list[Job]:
    """Return what is to be done to write the packs of rows anew.

    Parameters
    ----------
    names : sequence of str
        Experiments whose rows are meant.
    """
    jobs: dict[tuple[str, str], dict[str, list[str]]] = {}
    configs = {}
    for row in rows:
        config = config_of(row)
        if row["experiment"] in names and only.takes(row["experiment"], row["values"], config):
            key = row["config"], row["code"]
            configs[key] = config
            wanted = jobs.setdefault(key, {})
            wanted.setdefault(row["values"], []).append(row["experiment"])
    return [
        Job(
            configs[key],
            tuple((values, tuple(names)) for values, names in wanted.items()),
            key[1],
            run_folder(runs, configs[key], key[1]),
            repack=True,
        )
        for key, wanted in jobs.items()
    ]


def renew(old: Row, new: Row) -> Row:
    """Return a row with the sizes of its new pack.

    A lossless pack has the weights that the old one had, so its accuracy stays; what rounding
    makes of them may have changed.
    """
    changed = SIZES if old["values"] == LOSSLESS else (*SIZES, "test_accuracy")
    return {**old, **{name: new[name] for name in changed}}


def rerun_job(rows: Iterable[Row], config: str, folder: Path) -> tuple[Job, dict[str, Row]]:
    """Return what is to be done to repeat a run, and the rows it has: form of values to row.

    Raises
    ------
    UnknownNameError
        If there is no row of that configuration.
    InputError
        If the row's configuration cannot be put together any more.
    """
    rows = list(rows)
    found = {row["values"]: row for row in rows if row["config"] == config}
    if not found:
        raise UnknownNameError("row of configuration", config, {row["config"] for row in rows})
    made = config_of(next(iter(found.values())))
    wanted = tuple((values, (row["experiment"],)) for values, row in found.items())
    return Job(made, wanted, code_hash(made), folder), found


def by_key(rows: Iterable[Row]) -> dict[Key, Row]:
    """Return rows by what they are about."""
    return {key_of(row): row for row in rows}
