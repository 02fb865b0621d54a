"""The table of results: a CSV file with one row for each run and form of its values."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from freezepack.errors import InputError
from freezepack.files import write_output
from freezepack.train.config import RunConfig

Row = dict[str, str]
NAMED = (
    "model",
    "data",
    "method",
    "score",
    "strategy",
    "fill",
    "scheme",
    "freezing_rate",
    "seed",
    "epochs",
)
"""Fields of a configuration that have a column of their own."""
COLUMNS = (
    "experiment",
    "values",
    "config",
    "code",
    "commit",
    "model",
    "data",
    "method",
    "score",
    "strategy",
    "fill",
    "scheme",
    "freezing_rate",
    "seed",
    "options",
    "epochs",
    "weights",
    "trained_weights",
    "trained_other",
    "file_bytes",
    "rebuilt_bytes",
    "header_bytes",
    "index_bytes",
    "value_bytes",
    "validation_accuracy",
    "test_accuracy",
    "train_seconds",
    "wall_seconds",
    "threads",
    "device",
    "machine",
    "versions",
    "finished",
    "layers",
)
Key = tuple[str, str, str]
"""Experiment, values, hash of the configuration: a table has one row of each."""


def key_of(row: Mapping[str, str]) -> Key:
    """Return what a row is about."""
    return row["experiment"], row["values"], row["config"]


def describe_config(config: RunConfig) -> Row:
    """Return the columns that say what was run; `config_of` is the way back.

    Examples
    --------
    >>> row = describe_config(RunConfig(data="digits", ema=0.9))
    >>> row["data"], row["options"], config_of(row).ema
    ('digits', '{"ema":0.9}', 0.9)
    """
    named = {name: getattr(config, name) for name in NAMED}
    usual, stated = asdict(RunConfig(**named)), config.stated()
    options = {
        name: value for name, value in stated.items() if name not in NAMED and value != usual[name]
    }
    text = json.dumps(options, sort_keys=True, separators=(",", ":"))
    return {**{k: str(v) for k, v in named.items()}, "options": text, "config": config.hash}


def config_of(row: Mapping[str, str]) -> RunConfig:
    """Return the configuration that a row is about.

    Raises
    ------
    InputError
        If it is not the one whose hash the row has.
    """
    named: dict[str, Any] = {name: row[name] for name in NAMED}
    named.update(seed=int(row["seed"]), epochs=int(row["epochs"]))
    config = RunConfig(**named, **json.loads(row["options"]))
    if config.hash != row["config"]:
        problem = f"row {row['config']} is of a configuration that is {config.hash} by now"
        raise InputError(f"{problem}: defaults have changed since")
    return config


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a table, none if there is no file.

    Raises
    ------
    InputError
        If the file has other columns, or a row has more or fewer of them.
    """
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader, [])
        if header != list(COLUMNS):
            extra, missing = set(header) - set(COLUMNS), set(COLUMNS) - set(header)
            problem = f"unknown {sorted(extra)}, missing {sorted(missing)}"
            raise InputError(f"{path} has other columns: {problem}; -o names another file")
        rows = []
        for line in reader:
            if len(line) != len(COLUMNS):
                problem = f"{len(line)} columns, expected {len(COLUMNS)}"
                raise InputError(f"{path}, line {reader.line_num}: {problem}")
            rows.append(dict(zip(COLUMNS, line, strict=True)))
    return rows


def add_rows(path: Path, rows: Iterable[Row]) -> None:
    """Add rows to a table, all or nothing; rows about the same are replaced.

    Several processes may do so at once. Whatever interrupts it, the table stays as it was.
    """
    _change(path, rows, lambda old, new: True)


def merge_rows(path: Path, rows: Iterable[Row]) -> None:
    """Add the rows of another table; rows about the same are replaced by those of a later run."""
    _change(path, rows, lambda old, new: new["finished"] > old["finished"])


def _change(path: Path, rows: Iterable[Row], replaces: Callable[[Row, Row], bool]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock(path):
        table = {key_of(row): row for row in read_rows(path)}
        for row in rows:
            old = table.get(key_of(row))
            if old is None or replaces(old, row):
                table.pop(key_of(row), None)
                table[key_of(row)] = row
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table.values())
        write_output(path, [stream.getvalue().encode()], force=True)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Keep other processes from writing; where the system has no locks, hope."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    place = path.with_name(f".{path.name}.lock")
    with place.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(stream, fcntl.LOCK_UN)
