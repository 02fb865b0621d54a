"""Where the numbers of a table come from: experiments, code, machine, and what to mind."""

from collections.abc import Iterable, Sequence

from freezepack.bench.report.groups import ENOUGH, Group
from freezepack.bench.report.rows import Run
from freezepack.bench.report.show import FEW, SELECTING, name_options

PROTOCOL = (
    "Accuracy: test images classified rightly, mean ± standard deviation over n seeds. The test "
    "set was touched once, at the end of each run; recipes were chosen on the validation set."
)
FOLDER = "benchmarks/accuracy"
_NOTED = (*SELECTING, "precision")


def describe_sources(groups: Iterable[Group]) -> tuple[str, ...]:
    """Return the notes below a table made of these runs: how accuracy was taken, then the rest."""
    groups = list(groups)
    runs = [run for group in groups for run in group.runs]
    names = cover_experiments(runs)
    if not runs:
        return ()
    commands = ", ".join(f"`{command_of(name)}`" for name in names)
    facts = [
        _list("epochs", (run.setup.epochs for run in runs)),
        " and ".join(sorted({precision_of(run) for run in runs})),
        *sorted({name_options(run.setup, without=_NOTED) for run in runs} - {""}),
    ]
    days = sorted({run.finished[:10] for run in runs})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    hours = sum({run.config: run.train_seconds for run in runs}.values()) / 3600
    notes = [
        PROTOCOL,
        f"Made by {commands}. {'; '.join(facts)}.",
        f"{'; '.join(machines_of(runs))}. {span}, {hours:.1f} hours of training. Code "
        f"{_codes(runs)}, commit {_codes(runs, 'commit')}.",
    ]
    few = [group for group in groups if len(group.runs) < ENOUGH]
    if few:
        notes.append(f"{FEW} Fewer than {ENOUGH} seeds: not a finding yet.")
    notes += [f"**Mind:** {text}" for text in warn_of_code(runs)]
    return tuple(notes)


def command_of(experiment: str) -> str:
    """Return the command that makes the rows of an experiment.

    Examples
    --------
    >>> command_of("lenet5-mnist")
    'freezepack bench accuracy benchmarks/accuracy/lenet5-mnist.toml'
    """
    return f"freezepack bench accuracy {FOLDER}/{experiment}.toml"


def cover_experiments(runs: Sequence[Run]) -> list[str]:
    """Return few experiments that have all the runs, the one with most of them first."""
    left, found = list(runs), []
    while left:
        counts: dict[str, int] = {}
        for name in sorted({name for run in left for name in run.experiments}):
            counts[name] = sum(name in run.experiments for run in left)
        best = max(counts, key=counts.__getitem__)
        found.append(best)
        left = [run for run in left if best not in run.experiments]
    return found


def precision_of(run: Run) -> str:
    """Return in which precision forward passes were computed."""
    return str(run.setup.arguments.get("precision", "float32"))


def machines_of(runs: Iterable[Run]) -> list[str]:
    """Return machines with device, threads and versions, each once."""
    found: dict[str, None] = {}
    for run in runs:
        threads = f"{run.threads} thread{'s' if run.threads != 1 else ''}"
        found[f"{run.machine}, {run.device}, {threads} ({run.versions})"] = None
    return sorted(found)


def warn_of_code(runs: Sequence[Run]) -> list[str]:
    """Return a warning for each kind of run that several versions of the code have made.

    The hash of the code covers what a run imports, so other methods have other hashes.
    """
    found: dict[tuple[str, ...], dict[str, int]] = {}
    for run in runs:
        setup = run.setup
        what = (setup.model, setup.data, setup.method, setup.score, setup.strategy)
        counts = found.setdefault((*what, str(setup.arguments.get("strategy_args"))), {})
        counts[run.code] = counts.get(run.code, 0) + 1
    warnings = []
    for kind, counts in found.items():
        if len(counts) > 1:
            shown = ", ".join(f"`{code}` ({n} rows)" for code, n in sorted(counts.items()))
            name = f"{kind[0]}, {kind[1]}, {kind[3]}, {kind[4]}"
            warnings.append(f"runs of {name} come from several versions of the code: {shown}")
    return warnings


def _codes(runs: Sequence[Run], field: str = "code") -> str:
    return ", ".join(f"`{text}`" for text in sorted({str(getattr(run, field)) for run in runs}))


def _list(unit: str, values: Iterable[int]) -> str:
    return f"{', '.join(map(str, sorted(set(values))))} {unit}"
