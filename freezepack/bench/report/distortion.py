"""Error against bytes: our packs, networks trained for their file, and published points."""

from collections.abc import Sequence
from dataclasses import dataclass

from freezepack.bench.report.arrange import SCHEME, SELECTION, Study
from freezepack.bench.report.compare import link_runs
from freezepack.bench.report.groups import Group, Spread
from freezepack.bench.report.points import Published, Record
from freezepack.bench.report.rows import LOSSLESS
from freezepack.bench.report.show import (
    NONE,
    name_method,
    name_options,
    show_count,
    show_rate,
    show_spread,
    show_trained,
)
from freezepack.bench.report.sources import describe_sources
from freezepack.bench.tables import Cell, Table

FILLS = {"seed": "FreezeNet", "zeros": "pruned twin"}
LIMITS = {"mnist": (1.0, 1.6)}
"""Test errors for which the smallest file is named, by data set."""
COLUMNS = (
    "file",
    "bytes",
    "rebuilt, bytes",
    "share trained (weights + other values)",
    "test error, %",
    "n",
    "runs or source",
)


@dataclass(frozen=True, slots=True)
class Point:
    """A file of ours: a mean over seeds.

    Attributes
    ----------
    plain : bool
        Whether it is of the first sweep over freezing rates, so that a line leads through it.
    """

    name: str
    fill: str
    values: str
    rate: float
    file_bytes: Spread
    test_error: Spread
    validation_error: Spread
    group: Group
    plain: bool


@dataclass(frozen=True, slots=True)
class Distortion:
    """All points of one network on one data set."""

    title: str
    slug: str
    data: str
    points: Sequence[Point]
    records: Sequence[Record]
    published: Sequence[Published]
    dense: Group | None


def gather(
    studies: Sequence[Study], records: Sequence[Record], published: Sequence[Published]
) -> Distortion:
    """Return the points of a network: lossless packs of its sweeps, and all on grids.

    Parameters
    ----------
    studies : sequence of Study
        Of one network on one data set; the first one's points are joined by lines.
    """
    first = studies[0]
    points = []
    for study in studies:
        pairs = study.sweep if study is first or study.has_sweep else []
        sweep = [group for pair in pairs for group in pair.groups]
        groups = [*([study.dense] if study.dense else []), *sweep, *study.lossy]
        setups = {group.setup for group in sweep} if study is first else set()
        recipe = "" if study is first else study.recipe
        points += [_point(group, recipe, group.setup in setups) for group in groups]
    here = (first.model, first.data)
    return Distortion(
        first.network,
        first.slug,
        first.data,
        points,
        [record for record in records if (record.network, record.data) == here],
        [point for point in published if (point.network, point.data) == here],
        first.dense,
    )


def _point(group: Group, recipe: str, plain: bool) -> Point:
    spreads = group.file_bytes, group.error, group.validation_error
    setup = group.setup
    name = ", ".join(filter(None, [name_point(group), recipe]))
    return Point(name, setup.fill, group.values, setup.rate, *spreads, group, plain)


def name_point(group: Group) -> str:
    """Name a file by all in which it is not plain.

    Examples
    --------
    >>> from freezepack.bench.report.rows import Setup
    >>> setup = Setup("m", "d", "freeze", "snip", "one-shot", "xavier_normal", "seed", "0.99",
    ...               9, '{"lr":0.1}')
    >>> name_point(Group(setup, "grid:2", ()))
    'FreezeNet, q = 0.99, grid:2'
    """
    setup = group.setup
    if setup.rate == 0:
        parts = ["dense"]
    else:
        parts = [FILLS.get(setup.fill, setup.fill), f"q = {show_rate(setup.freezing_rate)}"]
        selection = setup.score, setup.strategy, setup.arguments.get("strategy_args", {})
        if setup.method != "freeze":
            parts[0] = setup.method
            parts += filter(None, [name_options(setup, without=("precision",))])
        elif selection != SELECTION:
            parts.append(name_method(setup))
        parts += [setup.scheme] if setup.scheme != SCHEME and setup.method == "freeze" else []
    return ", ".join([*parts, group.values])


def frontier(points: Sequence[tuple[float, float]]) -> set[int]:
    """Return which points no other one beats in bytes and error at once.

    Examples
    --------
    >>> sorted(frontier([(10, 3.0), (20, 2.0), (30, 2.5), (20, 2.0)]))
    [0, 1]
    """
    order = sorted(range(len(points)), key=lambda i: points[i])
    best, found = float("inf"), set()
    for i in order:
        if points[i][1] < best:
            best = points[i][1]
            found.add(i)
    return found


def distortion_table(found: Distortion) -> Table:
    """Return all points, the smallest file first; our best ones are bold."""
    rows: list[tuple[float, list[Cell]]] = []
    ours = [(p.file_bytes.mean, p.test_error.mean) for p in found.points]
    ours += [(r.file_bytes.mean, r.test_error.mean) for r in found.records]
    best = frontier(ours)
    for number, point in enumerate(found.points):
        run = point.group.runs[0]
        cells: list[Cell] = [_bold(point.name, number in best)]
        cells += [f"{round(point.file_bytes.mean):,}", f"{run.rebuilt_bytes:,}"]
        cells += [show_trained(point.group), show_spread(point.test_error)]
        cells += [show_count(point.test_error.n), link_runs([point.group])]
        rows.append((point.file_bytes.mean, cells))
    for number, record in enumerate(found.records, len(found.points)):
        cells = [_bold(record.title, number in best), f"{round(record.file_bytes.mean):,}"]
        cells += [NONE, NONE, show_spread(record.test_error), show_count(record.seeds)]
        rows.append((record.file_bytes.mean, [*cells, "records.csv"]))
    for quoted in found.published:
        year = f" ({quoted.year})" if quoted.year else ""
        error = NONE if quoted.test_error is None else f"{quoted.test_error:.2f}"
        cells = [f"*{quoted.method}{year}*", f"{quoted.bytes:,}", NONE, NONE]
        source = f"{_link(quoted.source)}: {quoted.size}; {quoted.remark}"
        rows.append((quoted.bytes, [*cells, error, NONE, source]))
    title = f"Error against bytes: {found.title}"
    sources = describe_sources([point.group for point in found.points])
    about = (
        "**Bold**: no smaller file of ours has so small an error. *Italic*: quoted, not run; none "
        "of those counts a decoder, neither do we. `lossless` rebuilds the trained values bit for "
        "bit, `grid:...` puts them on a grid first."
    )
    ordered = [cells for _, cells in sorted(rows, key=lambda row: row[0])]
    return Table(title, COLUMNS, ordered, (about, *sources))


def smallest_table(found: Distortion) -> Table | None:
    """Return the smallest file below each limit of the error, or None without a limit."""
    rows: list[list[Cell]] = []
    for limit in LIMITS.get(found.data, ()):
        good = [
            (p.file_bytes.mean, p.name, p.validation_error, p.test_error, link_runs([p.group]))
            for p in found.points
            if p.validation_error.mean <= limit
        ]
        good += [
            (r.file_bytes.mean, r.title, r.validation_error, r.test_error, f"`{r.command}`")
            for r in found.records
            if r.validation_error is not None and r.validation_error.mean <= limit
        ]
        quoted = [p for p in found.published if p.test_error is not None]
        peers = [(p.bytes, p.method) for p in quoted if (p.test_error or 0.0) <= limit]
        peer = "{1}, {0:,} bytes".format(*min(peers)) if peers else NONE
        if not good:
            rows.append([f"{limit:.1f} %", *[NONE] * 6, peer])
            continue
        size, name, validation, test, source = min(good, key=lambda entry: entry[0])
        errors: list[Cell] = [show_spread(validation), show_spread(test), show_count(test.n)]
        rows.append([f"{limit:.1f} %", name, f"{round(size):,}", *errors, source, peer])
    columns = ["error at most", "smallest file", "bytes", "validation error, %", "test error, %"]
    columns += ["n", "runs or command", "smallest published with such a test error"]
    about = "Chosen by the mean validation error, so that the test error is a measurement."
    title = f"Smallest files: {found.title}"
    return Table(title, columns, rows, (about,)) if rows else None


def is_lossless(point: Point) -> bool:
    """Return whether the pack holds the trained values as they are."""
    return point.values == LOSSLESS


def _bold(text: str, is_best: bool) -> str:
    return f"**{text}**" if is_best else text


def _link(source: str) -> str:
    """Return a link to a paper or a page.

    Examples
    --------
    >>> _link("arXiv:1510.00149 table 1")
    '[arXiv:1510.00149](https://arxiv.org/abs/1510.00149) table 1'
    """
    first, _, rest = source.partition(" ")
    if first.startswith("arXiv:"):
        first = f"[{first}](https://arxiv.org/abs/{first[6:]})"
    elif first.startswith("https://"):
        first = f"[{first.split('/')[2]}]({first})"
    return f"{first} {rest}".strip()
