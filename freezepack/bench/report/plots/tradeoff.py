"""Error against bytes, both on logarithmic scales, with published points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from freezepack.bench.report.distortion import Distortion
from freezepack.bench.report.plots.keys import write_key
from freezepack.bench.report.plots.labels import Box, Label, boxes_along, write_labels
from freezepack.bench.report.plots.spots import Spot, Spots, choose_spots
from freezepack.bench.report.plots.style import (
    FEW_SEEDS,
    SMALL,
    WIDTH,
    Theme,
    new_figure,
    place_axes,
    place_text,
    set_ticks,
)

HEAD, HIGH, FOOT, LEFT, RIGHT = 92, 410, 66, 52, 30
_ERRORS = (0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50)


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """The picture of one network."""

    spots: Spots

    @property
    def name(self) -> str:
        """Part of the file names."""
        return f"error-bytes-{self.spots.slug}"

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it."""
        quoted = ", ".join(dict.fromkeys(name for name, *_ in self.spots.published))
        others = f" and of published methods ({quoted})" if quoted else ""
        return (
            f"Test error against bytes of the file, {self.spots.title}: FreezeNets and pruned "
            f"twins, lossless and on grids{others}. The numbers are in the table below."
        )

    def draw(self, theme: Theme) -> Any:
        """Return the figure."""
        spots = self.spots
        note = "Lossless unless on a grid; deviations over seeds. Published: quoted."
        if spots.frozen_apart or spots.pruned_apart:
            note += " Open: other recipe."
        note += FEW_SEEDS if spots.has_few else ""
        heading = f"Test error against bytes on disk: {spots.title}"
        figure = new_figure(HEAD + HIGH + FOOT, theme, heading, note)
        lines = [
            (spots.frozen, "FreezeNet", theme.frozen, "o", "-"),
            (spots.gridded, "the best on a grid", theme.frozen, "D", (0, (1, 1.2))),
            (spots.pruned, "pruned twin", theme.pruned, "s", (0, (4, 2))),
            (spots.records, "trained for its file", theme.third, "*", "-"),
            (spots.published, "published", theme.quoted, "x", ""),
        ]
        write_key(figure, 66, [line[1:] for line in lines if line[0]], theme)
        axes = place_axes(figure, (LEFT, HEAD, WIDTH - LEFT - RIGHT, HIGH), theme)
        self._scale(axes, theme)
        obstacles = _draw_cloud(axes, spots.cloud, theme)
        for some, colour, marker in (
            (spots.frozen_apart, theme.frozen, "o"),
            (spots.pruned_apart, theme.pruned, "s"),
        ):
            obstacles += _draw_line(axes, some, (colour, marker, ""), inside=theme.page)
        for some, _, colour, marker, style in reversed(lines):
            obstacles += _draw_line(axes, some, (colour, marker, style))
        self._label(axes, obstacles, theme)
        if spots.left_out:
            error, size = spots.limits
            text = f"{spots.left_out} files of ours with errors above {error:.0f} % or above "
            text += f"{size / 1000:,.0f} kB are in the table only."
            place_text(figure, 14, HEAD + HIGH + FOOT - 12, text, size=SMALL, color=theme.faint)
        return figure

    def _scale(self, axes: Any, theme: Theme) -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        all_of = self.spots
        spots = [*all_of.frozen, *all_of.pruned, *all_of.gridded, *all_of.cloud]
        spots += [*all_of.frozen_apart, *all_of.pruned_apart, *all_of.records, *all_of.published]
        sizes, errors = [spot[1] for spot in spots], [spot[2] for spot in spots]
        errors += [self.spots.dense] if self.spots.dense else []
        axes.set_xlim(min(sizes) / 1.25, max(sizes) * 1.45)
        axes.set_ylim(min(errors) / 1.2, max(errors) * 1.15)
        low, high = axes.get_ylim()
        set_ticks(axes.yaxis, {e: f"{e:g} %" for e in _ERRORS if low <= e <= high}, theme)
        left, right = axes.get_xlim()
        ticks = [step * 10**power for power in range(2, 9) for step in (1, 2, 5)]
        shown = {float(t): _kilobytes(t) for t in ticks if left <= t <= right}
        set_ticks(axes.xaxis, shown, theme)
        axes.set_xlabel("bytes on disk", size=SMALL, color=theme.faint, labelpad=4)
        if dense := self.spots.dense:
            axes.axhline(dense, color=theme.faint, lw=1.2)
            place = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
            style = {"ha": "right", "va": "top", "size": SMALL, "color": theme.faint}
            axes.annotate(f"dense {dense:.2f} %", (1, dense), (0, -3), **place, **style)

    def _label(self, axes: Any, obstacles: list[Box], theme: Theme) -> None:
        """Name what others report, and the freezing rates of our lossless packs."""
        renderer = axes.figure.canvas.get_renderer()
        for text in axes.texts:
            box = text.get_window_extent(renderer)
            obstacles.append((box.x0, box.y0, box.x1, box.y1))
        if dense := self.spots.dense:
            frame, y = axes.get_window_extent(renderer), axes.transData.transform((1, dense))[1]
            obstacles.append((frame.x0, y - 3, frame.x1, y + 3))
        quoted = [
            Label(x, y, name, theme.text, theme.faint) for name, x, y, _ in self.spots.published
        ]
        ours = [*self.spots.frozen, *self.spots.frozen_apart]
        rates = [Label(x, y, name, theme.frozen, theme.frozen) for name, x, y, _ in ours]
        write_labels(axes, [*quoted, *rates], obstacles, SMALL)


def picture_tradeoff(found: Distortion) -> Tradeoff | None:
    """Return the picture of a network; None with fewer than two files of ours."""
    spots = choose_spots(found)
    return None if spots is None else Tradeoff(spots)


def _draw_cloud(axes: Any, spots: Sequence[Spot], theme: Theme) -> list[Box]:
    """Draw small points; return boxes around them."""
    if not spots:
        return []
    places = [(x, y) for _, x, y, _ in spots]
    axes.plot(*zip(*places, strict=True), "D", color=theme.frozen, ms=3, alpha=0.35)
    return boxes_along(axes.transData.transform(places), joined=False)


def _draw_line(
    axes: Any, spots: Sequence[Spot], look: tuple[Any, Any, Any], inside: str = ""
) -> list[Box]:
    """Draw points with deviations, open ones with a colour inside; return boxes along the line."""
    if not spots:
        return []
    colour, marker, style = look
    xs, ys = [spot[1] for spot in spots], [spot[2] for spot in spots]
    ups, downs = [spot[3] for spot in spots], [min(sd, 0.7 * y) for (*_, y, sd) in spots]
    bars = [downs, ups] if any(ups) else None
    sizes = {"*": 10, "D": 4.5, "x": 6}
    shape = {"marker": marker, "ms": sizes.get(marker, 5.5), "mew": 1.6 if marker == "x" else 1}
    drawn = {"color": colour, "ls": style or "none", "lw": 1.8, "elinewidth": 1.2, "capsize": 2.5}
    axes.errorbar(xs, ys, yerr=bars, mfc=inside or colour, **shape, **drawn)
    boxes = boxes_along(axes.transData.transform([*zip(xs, ys, strict=True)]), joined=bool(style))
    for x, y, down, up in zip(xs, ys, downs, ups, strict=True):
        ends = axes.transData.transform([(x, y - down), (x, y + up)])
        boxes += boxes_along(ends, joined=True)
    return boxes


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
