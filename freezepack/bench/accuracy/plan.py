"""What is to be done: which rows are there, which are stale, and how long the rest takes."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from statistics import median

from freezepack.bench.accuracy.code import code_hash
from freezepack.bench.accuracy.experiment import FIELDS, Experiment
from freezepack.bench.accuracy.rows import Key, Row, key_of
from freezepack.bench.accuracy.work import Job
from freezepack.errors import UnknownNameError
from freezepack.selection.rate import canonical_rate
from freezepack.train.config import RunConfig

ORDERS = ("given", "seeds", "random")


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
    order: str = ORDERS[0],
) -> Plan:
    """Compare what experiments ask for with the rows that are there.

    Parameters
    ----------
    runs : Path
        Folder of the runs.
    keep_stale : bool
        Take rows of other code for finished.
    order : {"given", "seeds", "random"}
        Of the runs: as in the files, all of one seed before the next, or mixed, always in the
        same way. The beginning of the latter two tells something of all.
    """
    only, table = only or Only(), _Table(rows, keep_stale)
    todo: dict[str, dict[str, list[str]]] = {}
    configs = {config.hash: config for each in experiments for config in each.configs}
    copies, statuses = [], []
    for experiment in experiments:
        counts = dict.fromkeys(("finished", "stale", "missing"), 0)
        for config, values in product(experiment.configs, experiment.values):
            if not only.takes(experiment.name, values, config):
                continue
            state, row = table.find(experiment.name, values, config)
            counts[state] += 1
            if row is not None and row["experiment"] != experiment.name:
                copies.append({**row, "experiment": experiment.name})
            if state != "finished" and row is None:
                todo.setdefault(config.hash, {}).setdefault(values, []).append(experiment.name)
        statuses.append(Status(experiment.name, **counts))
    jobs = [_job(configs[name], wanted, runs) for name, wanted in todo.items()]
    if order == "seeds":
        jobs.sort(key=lambda job: job.config.seed)
    elif order == "random":
        random.Random(0).shuffle(jobs)
    return Plan(tuple(jobs), tuple(copies), tuple(statuses))


class _Table:
    """Rows by what they are about, and by what made them."""

    def __init__(self, rows: Iterable[Row], keep_stale: bool) -> None:
        self._keep_stale = keep_stale
        self._own: dict[Key, Row] = {}
        self._made: dict[tuple[str, str], dict[str, Row]] = {}
        for row in rows:
            self._own[key_of(row)] = row
            self._made.setdefault((row["values"], row["config"]), {})[row["code"]] = row

    def find(self, experiment: str, values: str, config: RunConfig) -> tuple[str, Row | None]:
        """Return "finished", "stale" or "missing", and the row that will do, if there is one.

        Another experiment may have made it.
        """
        code, made = code_hash(config), self._made.get((values, config.hash), {})
        own = self._own.get((experiment, values, config.hash))
        if own is not None and own["code"] == code:
            return "finished", own
        if code in made:
            return "finished", made[code]
        if own is None and not (made and self._keep_stale):
            return "missing", None
        return "stale", (own or next(iter(made.values()))) if self._keep_stale else None


def _job(config: RunConfig, wanted: Mapping[str, Sequence[str]], runs: Path) -> Job:
    code = code_hash(config)
    forms = tuple((values, tuple(names)) for values, names in wanted.items())
    return Job(config, forms, code, run_folder(runs, config, code))


def run_folder(runs: Path, config: RunConfig, code: str) -> Path:
    """Return the folder of a run; runs of other code have another one."""
    return runs / f"{config.hash}-{code[:8]}"


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
