"""Error against bytes, both on logarithmic scales, with published points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from freezepack.bench.report.distortion import Distortion, Point, frontier, is_lossless
from freezepack.bench.report.plots.keys import write_key
from freezepack.bench.report.plots.labels import Box, Label, boxes_along, write_labels
from freezepack.bench.report.plots.style import (
    SMALL,
    WIDTH,
    Theme,
    new_figure,
    place_axes,
    place_text,
    set_ticks,
)

HEAD, HIGH, FOOT, LEFT, RIGHT = 92, 410, 66, 52, 30
_ERRORS = (0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20)
MOST_ERROR, MOST_BYTES = 20.0, 400e3
"""What is beyond is named below the picture instead."""
Spot = tuple[str, float, float, float]
"""Name, bytes, error in percent and its standard deviation."""


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """The picture of one network: what each of our lines has, and what others report.

    Attributes
    ----------
    frozen, pruned : tuple of Spot
        Lossless packs along the freezing rates.
    gridded : tuple of Spot
        FreezeNets with values on a grid: those no other one beats.
    cloud : tuple of Spot
        All other gridded packs.
    records, published : tuple of Spot
        Networks trained for their file; what others report.
    dense : float or None
        Test error in percent.
    left_out : int
        Files of ours beyond the limits.
    """

    title: str
    slug: str
    frozen: tuple[Spot, ...]
    pruned: tuple[Spot, ...]
    gridded: tuple[Spot, ...]
    cloud: tuple[Spot, ...]
    records: tuple[Spot, ...]
    published: tuple[Spot, ...]
    dense: float | None
    left_out: int

    @property
    def name(self) -> str:
        """Part of the file names."""
        return f"error-bytes-{self.slug}"

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it."""
        quoted = ", ".join(dict.fromkeys(name for name, *_ in self.published))
        others = f" and of published methods ({quoted})" if quoted else ""
        return (
            f"Test error against bytes of the file, {self.title}: FreezeNets and pruned twins, "
            f"lossless and on grids{others}. The numbers are in the table below."
        )

    def draw(self, theme: Theme) -> Any:
        """Return the figure."""
        note = "kB are 1,000 bytes; standard deviations over seeds. Published points are quoted."
        heading = f"Test error against bytes on disk: {self.title}"
        figure = new_figure(HEAD + HIGH + FOOT, theme, heading, note)
        lines = [
            (self.frozen, "FreezeNet, lossless", theme.frozen, "o", "-"),
            (self.gridded, "FreezeNet, best on a grid", theme.frozen, "D", (0, (1, 1.2))),
            (self.pruned, "pruned twin, lossless", theme.pruned, "s", (0, (4, 2))),
            (self.records, "trained for the file", theme.third, "*", "-"),
            (self.published, "published", theme.quoted, "x", ""),
        ]
        write_key(figure, 66, [line[1:] for line in lines if line[0]], theme)
        axes = place_axes(figure, (LEFT, HEAD, WIDTH - LEFT - RIGHT, HIGH), theme)
        self._scale(axes, theme)
        obstacles: list[Box] = []
        if self.cloud:
            xs, ys = [spot[1] for spot in self.cloud], [spot[2] for spot in self.cloud]
            axes.plot(xs, ys, "D", color=theme.frozen, ms=3, alpha=0.35, lw=0)
            cloud = axes.transData.transform(list(zip(xs, ys, strict=True)))
            obstacles += boxes_along(cloud, joined=False)
        for spots, _, colour, marker, style in reversed(lines):
            if spots:
                obstacles += _draw_line(axes, spots, (colour, marker, style))
        self._label(axes, obstacles, theme)
        if self.left_out:
            text = f"{self.left_out} files of ours with errors above {MOST_ERROR:g} % or above "
            text += f"{MOST_BYTES / 1000:g} kB are in the table only."
            place_text(figure, 14, HEAD + HIGH + FOOT - 12, text, size=SMALL, color=theme.faint)
        return figure

    def _scale(self, axes: Any, theme: Theme) -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        spots = [*self.frozen, *self.pruned, *self.gridded, *self.cloud]
        spots += [*self.records, *self.published]
        sizes, errors = [spot[1] for spot in spots], [spot[2] for spot in spots]
        errors += [self.dense] if self.dense else []
        axes.set_xlim(min(sizes) / 1.25, max(sizes) * 1.45)
        axes.set_ylim(min(errors) / 1.2, max(errors) * 1.15)
        low, high = axes.get_ylim()
        set_ticks(axes.yaxis, {e: f"{e:g} %" for e in _ERRORS if low <= e <= high}, theme)
        left, right = axes.get_xlim()
        ticks = [step * 10**power for power in range(2, 9) for step in (1, 2, 5)]
        shown = {float(t): _kilobytes(t) for t in ticks if left <= t <= right}
        set_ticks(axes.xaxis, shown, theme)
        axes.set_xlabel("bytes on disk", size=SMALL, color=theme.faint, labelpad=4)
        if self.dense:
            axes.axhline(self.dense, color=theme.faint, lw=1.2)
            place = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
            style = {"ha": "right", "va": "top", "size": SMALL, "color": theme.faint}
            axes.annotate(f"dense {self.dense:.2f} %", (1, self.dense), (0, -3), **place, **style)

    def _label(self, axes: Any, obstacles: list[Box], theme: Theme) -> None:
        """Name what others report, and the freezing rates of our lossless packs."""
        renderer = axes.figure.canvas.get_renderer()
        for text in axes.texts:
            box = text.get_window_extent(renderer)
            obstacles.append((box.x0, box.y0, box.x1, box.y1))
        quoted = [Label(x, y, name, theme.text, theme.faint) for name, x, y, _ in self.published]
        rates = [Label(x, y, name, theme.frozen, theme.frozen) for name, x, y, _ in self.frozen]
        write_labels(axes, [*quoted, *rates], obstacles, SMALL)


def picture_tradeoff(found: Distortion) -> Tradeoff | None:
    """Return the picture of a network; None with fewer than two files of ours."""
    points = [p for p in found.points if p.rate > 0]
    shown = [
        p for p in points if p.test_error.mean <= MOST_ERROR and p.file_bytes.mean <= MOST_BYTES
    ]
    if len(shown) + len(found.records) < 2:
        return None
    grids = [p for p in shown if not is_lossless(p)]
    ours = [p for p in grids if p.fill == "seed"]
    best = frontier([(p.file_bytes.mean, p.test_error.mean) for p in ours])
    line = [p for number, p in enumerate(ours) if number in best]
    rest = [p for p in grids if p not in line]
    records = [
        (r.title, r.file_bytes.mean, r.test_error.mean, r.test_error.sd) for r in found.records
    ]
    quoted = [
        (p.method, float(p.bytes), p.test_error, 0.0)
        for p in found.published
        if p.test_error is not None
    ]
    return Tradeoff(
        found.title,
        found.slug,
        _spots([p for p in shown if is_lossless(p) and p.plain and p.fill == "seed"]),
        _spots([p for p in shown if is_lossless(p) and p.plain and p.fill == "zeros"]),
        _spots(line),
        _spots(rest),
        _rounded(records),
        tuple(quoted),
        round(found.dense.error.mean, 4) if found.dense else None,
        len(points) - len(shown),
    )


def _spots(points: Sequence[Point]) -> tuple[Spot, ...]:
    """Return points named by their rates."""
    return _rounded(
        [(f"q = {p.rate:g}", p.file_bytes.mean, p.test_error.mean, p.test_error.sd) for p in points]
    )


def _rounded(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Return points by size; digits that no picture shows must not make another picture."""
    rounded = [(name, round(x), round(y, 4), round(sd, 4)) for name, x, y, sd in spots]
    return tuple(sorted(rounded, key=lambda spot: spot[1]))


def _draw_line(axes: Any, spots: Sequence[Spot], look: tuple[Any, Any, Any]) -> list[Box]:
    """Draw points with deviations; return boxes along the line, in pixels."""
    colour, marker, style = look
    xs, ys = [spot[1] for spot in spots], [spot[2] for spot in spots]
    down = [min(sd, 0.7 * y) for (*_, y, sd) in spots]
    bars = [down, [spot[3] for spot in spots]] if any(down) else None
    sizes = {"*": 10, "D": 4.5, "x": 6}
    shape = {"marker": marker, "ms": sizes.get(marker, 5.5), "mew": 1.6 if marker == "x" else 1}
    drawn = {"color": colour, "ls": style or "none", "lw": 1.8, "elinewidth": 1.2, "capsize": 2.5}
    axes.errorbar(xs, ys, yerr=bars, **shape, **drawn)
    places = axes.transData.transform(list(zip(xs, ys, strict=True)))
    return boxes_along(places, joined=bool(style))


def _kilobytes(count: int) -> str:
    """Return a round number of bytes.

    Examples
    --------
    >>> _kilobytes(500), _kilobytes(20_000), _kilobytes(1_000_000)
    ('500', '20 kB', '1 MB')
    """
    for unit, size in (("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count // size} {unit}"
    return str(count)
