"""What is to be done: which rows are there, which are stale, and how long the rest takes."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from freezepack.bench.accuracy.code import code_hash
from freezepack.bench.accuracy.experiment import FIELDS, Experiment
from freezepack.bench.accuracy.rows import Row, key_of
from freezepack.bench.accuracy.work import Job
from freezepack.errors import UnknownNameError
from freezepack.selection.rate import canonical_rate
from freezepack.train.config import RunConfig


@dataclass(frozen=True, slots=True)
class Only:
    """Which runs are asked for: names of fields, each with the values that will do.

    "experiment" and "values" can be asked for like fields.
    """

    wanted: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def takes(self, experiment: str, values: str, config: RunConfig) -> bool:
        """Return whether a row is asked for."""
        facts = {**asdict(config), "experiment": experiment, "values": values}
        return all(_show(facts[name]) in texts for name, texts in self.wanted.items())


def parse_only(texts: Iterable[str]) -> Only:
    """Read filters like ``freezing_rate=0.995,seed=1|2``; all of them have to hold.

    Raises
    ------
    ValueError
        If a filter has no "=".
    UnknownNameError
        If there is no such field.

    Examples
    --------
    >>> parse_only(["seed=1|2,freezing_rate=0.990"]).wanted["freezing_rate"]
    frozenset({'0.99'})
    """
    wanted: dict[str, frozenset[str]] = {}
    for text in (part for group in texts for part in group.split(",")):
        name, equals, values = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r} is not of the form FIELD=VALUE or FIELD=VALUE|VALUE")
        known = (*FIELDS, "experiment", "values")
        if name not in known:
            raise UnknownNameError("field", name, known)
        entries = values.split("|")
        if name == "freezing_rate":
            entries = [canonical_rate(entry) for entry in entries]
        wanted[name] = wanted.get(name, frozenset(entries)) & frozenset(entries)
    return Only(wanted)


def _show(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | None) else str(value)


@dataclass(frozen=True, slots=True)
class Status:
    """Rows of one experiment: how many there are, of other code, and to be made."""

    experiment: str
    finished: int
    stale: int
    missing: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    jobs : tuple of Job
        In order.
    copies : tuple of Row
        Rows that another experiment has made already.
    statuses : tuple of Status
        One for each experiment.
    """

    jobs: tuple[Job, ...]
    copies: tuple[Row, ...]
    statuses: tuple[Status, ...]


def make_plan(
    experiments: Sequence[Experiment],
    rows: Sequence[Row],
    runs: Path,
    *,
    only: Only | None = None,
    keep_stale: bool = False,
    shuffle: bool = False,
) -> Plan:
    """Compare what experiments ask for with the rows that are there.

    Parameters
    ----------
    runs : Path
        Folder of the runs.
    keep_stale : bool
        Take rows of other code for finished.
    shuffle : bool
        Mix the runs, always in the same way, so that the first ones tell something of all.
    """
    only = only or Only()
    known = {key_of(row): row for row in rows}
    usable = {_result(row): row for row in rows}
    todo: dict[RunConfig | str, dict[str, list[str]]] = {}
    configs: dict[str, RunConfig] = {}
    copies, statuses = [], []
    for experiment in experiments:
        counts = {"finished": 0, "stale": 0, "missing": 0}
        for config in experiment.configs:
            code, name = code_hash(config), config.hash
            for values in experiment.values:
                if not only.takes(experiment.name, values, config):
                    continue
                row = known.get((experiment.name, values, name))
                if row is not None and row["code"] == code:
                    counts["finished"] += 1
                    continue
                made = usable.get((values, name, code))
                if made is not None:
                    copies.append({**made, "experiment": experiment.name})
                    counts["finished"] += 1
                    continue
                counts["missing" if row is None else "stale"] += 1
                if row is None or not keep_stale:
                    configs[name] = config
                    todo.setdefault(name, {}).setdefault(values, []).append(experiment.name)
        statuses.append(Status(experiment.name, **counts))
    jobs = [_job(configs[str(name)], wanted, runs) for name, wanted in todo.items()]
    if shuffle:
        random.Random(0).shuffle(jobs)
    return Plan(tuple(jobs), tuple(copies), tuple(statuses))


def _result(row: Row) -> tuple[str, str, str]:
    return row["values"], row["config"], row["code"]


def _job(config: RunConfig, wanted: Mapping[str, Sequence[str]], runs: Path) -> Job:
    code = code_hash(config)
    folder = runs / f"{config.hash}-{code[:8]}"
    return Job(config, tuple((k, tuple(v)) for k, v in wanted.items()), code, folder)


def estimate(config: RunConfig, rows: Sequence[Row], device: str) -> float | None:
    """Return the seconds that a run is likely to take, or None if nothing like it was run.

    Examples
    --------
    >>> estimate(RunConfig(data="digits"), [], "cpu") is None
    True
    """
    like = [
        row
        for row in rows
        if (row["model"], row["data"], row["device"]) == (config.model, config.data, device)
    ]
    same = [
        row for row in like if (row["method"], row["strategy"]) == (config.method, config.strategy)
    ]
    found = same or like
    if not found:
        return None
    each = median(float(row["wall_seconds"]) / int(row["epochs"]) for row in found)
    return each * int(config.epochs or 1)
