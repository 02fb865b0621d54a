"""The rows of accuracy.csv: one for each run and way of storing its values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from freezepack.bench.report.csv_file import Parser, read_rows, real, share, whole
from freezepack.errors import InputError

LOSSLESS = "lossless"
Layers = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run was, apart from its seed: equal setups differ by chance alone.

    Attributes
    ----------
    options : str
        Canonical JSON of all other fields of the configuration that are not the default.
    """

    model: str
    data: str
    method: str
    score: str
    strategy: str
    scheme: str
    fill: str
    freezing_rate: str
    epochs: int
    options: str

    @property
    def rate(self) -> float:
        """The freezing rate as a number."""
        return float(self.freezing_rate)

    @property
    def arguments(self) -> dict[str, Any]:
        """The options as a mapping."""
        found: dict[str, Any] = json.loads(self.options)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One row.

    Attributes
    ----------
    experiments : tuple of str
        That asked for it.
    values : str
        "lossless", or the grid on which the trained values were put.
    config, code : str
        Hashes of the configuration and of the code that decides the result.
    layers : mapping of str to (trained, count)
        By name of the tensor.
    """

    experiments: tuple[str, ...]
    values: str
    config: str
    code: str
    commit: str
    setup: Setup
    seed: int
    weights: int
    trained_weights: int
    trained_other: int
    file_bytes: int
    rebuilt_bytes: int
    header_bytes: int
    index_bytes: int
    value_bytes: int
    validation_accuracy: float
    test_accuracy: float
    train_seconds: float
    wall_seconds: float
    threads: int
    device: str
    machine: str
    versions: str
    finished: str
    layers: Layers


def read_runs(path: Path) -> list[Run]:
    """Return the rows of accuracy.csv, all of them.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, has a cell that is none, or has two rows for
        the same experiment, configuration and values.
    """
    rows = [_run(row) for row in read_rows(path, _COLUMNS)]
    seen: dict[tuple[str, str, str], int] = {}
    for number, run in enumerate(rows, 1):
        key = (run.experiments[0], run.config, run.values)
        if key in seen:
            raise InputError(
                f"{path}: rows {seen[key]} and {number} are both configuration {run.config}, "
                f"{run.values}, of experiment {key[0]}; remove one of them"
            )
        seen[key] = number
    return rows


def keep_newest(runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """Return each run once, and older results of the same configuration and values.

    A run that several experiments ask for has a row for each of them.
    """
    newest: dict[tuple[str, str], Run] = {}
    older: dict[tuple[str, str, str], Run] = {}
    for run in runs:
        key = (run.config, run.values)
        other = newest.get(key, run)
        if _result(run) == _result(other):
            names = dict.fromkeys([*other.experiments, *run.experiments])
            newest[key] = replace(other, experiments=tuple(names))
        else:
            first, last = sorted([other, run], key=lambda found: found.finished)
            replaced = (*key, first.finished)
            newest[key], older[replaced] = last, first
    return list(newest.values()), list(older.values())


def _result(run: Run) -> tuple[str, str, int, float]:
    return run.code, run.finished, run.file_bytes, run.test_accuracy


def _run(row: dict[str, Any]) -> Run:
    setup = Setup(**{name: row.pop(name) for name in _SETUP})
    return Run(experiments=(row.pop("experiment"),), setup=setup, **row)


def _hash(text: str) -> str:
    if len(text) != 16 or set(text) - set("0123456789abcdef"):
        raise ValueError("16 hexadecimal digits")
    return text


def _rate(text: str) -> str:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise ValueError("a decimal number of at least 0 and below 1")
    return text


def _options(text: str) -> str:
    return json.dumps(_mapping(text), sort_keys=True, separators=(",", ":"))


def _layers(text: str) -> Layers:
    layers = {}
    for name, counts in _mapping(text).items():
        good = isinstance(counts, list) and len(counts) == 2
        if not good or not all(type(count) is int for count in counts):
            raise ValueError("JSON of {tensor: [trained, count]}")
        layers[name] = (counts[0], counts[1])
    return layers


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("a JSON object")
    return found


_SETUP: dict[str, Parser] = {
    **dict.fromkeys(("model", "data", "method", "score", "strategy", "scheme", "fill"), str),
    "freezing_rate": _rate,
    "epochs": whole,
    "options": _options,
}
_COLUMNS: dict[str, Parser] = {
    **_SETUP,
    **dict.fromkeys(("experiment", "values", "commit", "device", "machine"), str),
    **dict.fromkeys(("versions", "finished"), str),
    **dict.fromkeys(("config", "code"), _hash),
    **dict.fromkeys(("seed", "weights", "trained_weights", "trained_other"), whole),
    **dict.fromkeys(("file_bytes", "rebuilt_bytes", "threads"), whole),
    **dict.fromkeys(("header_bytes", "index_bytes", "value_bytes"), whole),
    **dict.fromkeys(("validation_accuracy", "test_accuracy"), share),
    **dict.fromkeys(("train_seconds", "wall_seconds"), real),
    "layers": _layers,
}
