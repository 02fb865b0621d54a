"""Seeds of one setup together: means, spreads, and differences between twins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from freezepack.bench.report.rows import LOSSLESS, Run, Setup

ENOUGH = 3
"""Seeds below which a mean is marked."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean, its sample standard deviation (0 of a single number), and how many there were."""

    mean: float
    sd: float
    n: int


def spread(values: Sequence[float]) -> Spread:
    """Return mean and spread of at least one number.

    Examples
    --------
    >>> spread([1.0, 2.0, 3.0])
    Spread(mean=2.0, sd=1.0, n=3)
    """
    return Spread(fmean(values), stdev(values) if len(values) > 1 else 0.0, len(values))


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one setup with values stored in one way, by seed."""

    setup: Setup
    values: str
    runs: tuple[Run, ...]

    @property
    def accuracy(self) -> Spread:
        """Test accuracy in percent."""
        return spread([100 * run.test_accuracy for run in self.runs])

    @property
    def error(self) -> Spread:
        """Test error in percent."""
        return spread([100 * (1 - run.test_accuracy) for run in self.runs])

    @property
    def validation_error(self) -> Spread:
        """Validation error in percent."""
        return spread([100 * (1 - run.validation_accuracy) for run in self.runs])

    @property
    def file_bytes(self) -> Spread:
        """Bytes of the file."""
        return spread([run.file_bytes for run in self.runs])

    @property
    def factor(self) -> float:
        """Rebuilt bytes divided by the bytes of the file, of the means."""
        return fmean([run.rebuilt_bytes for run in self.runs]) / self.file_bytes.mean

    @property
    def key(self) -> str:
        """First digits of the first configuration: how a table refers to the runs."""
        return self.runs[0].config[:8]


def group_runs(runs: Iterable[Run]) -> list[Group]:
    """Put the seeds of each setup and values together, in the order of their first run."""
    found: dict[tuple[Setup, str], list[Run]] = {}
    for run in runs:
        found.setdefault((run.setup, run.values), []).append(run)
    return [
        Group(setup, values, tuple(sorted(some, key=lambda run: run.seed)))
        for (setup, values), some in found.items()
    ]


@dataclass(frozen=True, slots=True)
class Pair:
    """A FreezeNet and its pruned twin: the same setup but for the fill; either may be missing."""

    frozen: Group | None
    pruned: Group | None

    @property
    def groups(self) -> tuple[Group, ...]:
        """Those that are there."""
        return tuple(group for group in (self.frozen, self.pruned) if group is not None)

    @property
    def setup(self) -> Setup:
        """The setup of the one that is there, the FreezeNet's first."""
        return self.groups[0].setup

    @property
    def difference(self) -> Spread | None:
        """FreezeNet minus twin in points, seed by seed; None without a seed in common."""
        if self.frozen is None or self.pruned is None:
            return None
        other = {run.seed: run.test_accuracy for run in self.pruned.runs}
        gaps = [
            100 * (run.test_accuracy - other[run.seed])
            for run in self.frozen.runs
            if run.seed in other
        ]
        return spread(gaps) if gaps else None


def pair_groups(groups: Iterable[Group], values: str = LOSSLESS) -> list[Pair]:
    """Put FreezeNets and their twins together, of groups with these values."""
    found: dict[Setup, dict[str, Group]] = {}
    for group in groups:
        if group.values == values:
            found.setdefault(replace(group.setup, fill=""), {})[group.setup.fill] = group
    return [Pair(sides.get("seed"), sides.get("zeros")) for sides in found.values()]
