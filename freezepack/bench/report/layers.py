"""Which share of each layer is trained, against the freezing rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from freezepack.bench.report.arrange import Study
from freezepack.bench.report.groups import Group, Pair
from freezepack.bench.report.show import NONE, show_share
from freezepack.bench.report.sources import describe_sources
from freezepack.bench.tables import Cell, Table


@dataclass(frozen=True, slots=True)
class Layer:
    """A tensor: its size, and its trained share for each freezing rate, mean of the seeds."""

    name: str
    count: int
    shares: dict[str, float]


def layers_of(pairs: Sequence[Pair]) -> list[Layer]:
    """Return the tensors in file order; those without a frozen weight anywhere are left out."""
    groups = [group for pair in pairs if (group := _masked(pair)) is not None]
    names = dict.fromkeys(name for group in groups for run in group.runs for name in run.layers)
    layers = [_layer(name, groups) for name in names]
    return [layer for layer in layers if any(share < 1 for share in layer.shares.values())]


def _masked(pair: Pair) -> Group | None:
    """Return the FreezeNet, or else the twin, which has the same masks."""
    return pair.frozen or pair.pruned


def _layer(name: str, groups: Sequence[Group]) -> Layer:
    shares, count = {}, 0
    for group in groups:
        counts = [run.layers[name] for run in group.runs if name in run.layers]
        if counts:
            count = counts[0][1]
            shares[group.setup.freezing_rate] = fmean(k / max(n, 1) for k, n in counts)
    return Layer(name, count, shares)


def layers_table(study: Study) -> Table:
    """Return layers by freezing rate."""
    layers = layers_of(study.sweep)
    rates = [pair.setup.freezing_rate for pair in study.sweep]
    rows: list[list[Cell]] = [
        [
            layer.name,
            layer.count,
            *(show_share(layer.shares[r]) if r in layer.shares else NONE for r in rates),
        ]
        for layer in layers
    ]
    title = f"Trained share of each layer: {study.title}"
    groups = [group for pair in study.sweep if (group := _masked(pair)) is not None]
    sources = describe_sources(groups)
    about = "Columns are freezing rates; mean over seeds. The twin has the same masks."
    return Table(title, ["layer", "weights", *rates], rows, (about, *sources[1:]))
