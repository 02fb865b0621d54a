"""The table of FreezeNets beside their pruned twins, whatever the rows differ in."""

from collections.abc import Sequence
from itertools import pairwise

from freezepack.bench.report.groups import Group, Pair
from freezepack.bench.report.show import (
    NONE,
    show_bytes,
    show_seeds,
    show_spread,
    show_trained,
)
from freezepack.bench.report.sources import describe_sources
from freezepack.bench.tables import Cell, Table

COLUMNS = (
    "share trained (weights + other values)",
    "FreezeNet, %",
    "of dense, %",
    "FreezeNet file, bytes",
    "rebuilt, bytes",
    "rebuilt / file",
    "pruned twin, %",
    "twin file, bytes",
    "FreezeNet - twin, points",
    "n",
    "runs",
)
Rows = Sequence[tuple[str, Pair]]


def compare(title: str, label: str, rows: Rows, dense: Group | None, lead: str = "") -> Table:
    """Return a table with a row for each pair, below the dense network.

    Parameters
    ----------
    label : str
        Head of the first column: what the rows differ in.
    rows : sequence of (str, Pair)
        What stands in the first column, and the pair.
    dense : Group or None
        What all are compared with, if it was run.
    lead : str
        What is to be said first below the table.
    """
    cells: list[list[Cell]] = []
    if dense is not None:
        cells.append(_cells("dense", Pair(dense, None), dense))
    cells += [_cells(name, pair, dense) for name, pair in rows]
    groups = [group for _, pair in rows for group in pair.groups]
    sources = describe_sources([*groups, *([dense] if dense else [])])
    gap = f"`{NONE}` Not run." if any(len(pair.groups) < 2 for _, pair in rows) else ""
    notes = list(filter(None, [lead, *sources, gap]))
    return Table(title, (label, *COLUMNS), cells, notes)


def _cells(name: str, pair: Pair, dense: Group | None) -> list[Cell]:
    frozen, pruned = pair.frozen, pair.pruned
    rebuilt = f"{round(pair.groups[0].runs[0].rebuilt_bytes):,}"
    of_dense, factor = NONE, NONE
    if frozen is not None:
        factor = f"{frozen.factor:.1f}"
        if dense is not None and dense is not frozen:
            of_dense = f"{100 * frozen.accuracy.mean / dense.accuracy.mean:.2f}"
    return [
        name,
        show_trained(pair.groups[0]),
        show_spread(frozen.accuracy if frozen else None),
        of_dense,
        show_bytes(frozen),
        rebuilt,
        factor,
        show_spread(pruned.accuracy if pruned else None),
        show_bytes(pruned),
        show_spread(pair.difference, sign=True),
        show_seeds(pair),
        link_runs(pair.groups),
    ]


def link_runs(groups: Sequence[Group]) -> str:
    """Return links to the list of runs, one for each configuration."""
    keys = dict.fromkeys(group.key for group in groups)
    return " ".join(f"[`{key}`](#run-{key})" for key in keys)


def tell_gap(pairs: Sequence[Pair]) -> str:
    """Say in a sentence where FreezeNets are above their twins and where not.

    Examples
    --------
    >>> tell_gap([])
    ''
    """
    gaps = {pair.setup.freezing_rate: gap for pair in pairs if (gap := pair.difference) is not None}
    if not gaps:
        return ""
    means = [gap.mean for gap in gaps.values()]
    below = [f"{q} ({show_spread(gap, sign=True)})" for q, gap in gaps.items() if gap.mean < 0]
    text = f"The FreezeNet is at or above its twin at {len(gaps) - len(below)} of {len(gaps)} rates"
    text += f", by {min(means):+.2f} to {max(means):+.2f} points"
    if len(means) > 2 and all(a <= b for a, b in pairwise(means)):
        text += "; the gap widens with every step"
    return f"{text}. Below it at {', '.join(below)}." if below else f"{text}."
