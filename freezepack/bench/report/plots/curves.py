"""Accuracy against the freezing rate: a panel for each network, FreezeNet and twin."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, nan
from typing import Any

from freezepack.bench.report.arrange import Study
from freezepack.bench.report.groups import ENOUGH
from freezepack.bench.report.plots.keys import write_key
from freezepack.bench.report.plots.style import (
    FEW_SEEDS,
    SMALL,
    WIDTH,
    Theme,
    new_figure,
    place_axes,
    set_ticks,
)

HEAD, HIGH, FOOT, LEFT, GAP, RIGHT = 114, 218, 80, 52, 60, 14
_COARSE = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 90)
_FINE = (0.3, 0.7, 1.5, 3, 7, 15, 30, 70, 0.4, 4, 40, 0.6, 6, 60, 0.8, 8)
"""Test errors in percent at which there may be a line: the first ones before the others."""
_ROOM = 0.08
"""Share of the height between two lines at least."""
Points = tuple[tuple[str, float, float], ...]
"""Freezing rate, mean and standard deviation of the test error in percent."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One network on one data set.

    Attributes
    ----------
    dense : (mean, standard deviation) or None
        Test error in percent.
    """

    title: str
    frozen: Points
    pruned: Points
    dense: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Curves:
    """The picture of accuracy against the freezing rate; it says if some seeds are few."""

    panels: tuple[Panel, ...]
    has_few: bool
    name: str = "accuracy"

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it."""
        shown = "; ".join(panel.title for panel in self.panels)
        return (
            "Test accuracy against the freezing rate, FreezeNet and pruned twin with standard "
            f"deviations, and the dense network: {shown}. The numbers are in the tables below."
        )

    def draw(self, theme: Theme) -> Any:
        """Return the figure."""
        columns = min(len(self.panels), 2)
        rows = -(-len(self.panels) // columns)
        title = "Test accuracy against freezing rate, %"
        below = "Mean and standard deviation over seeds; logarithmic in error and share."
        below += FEW_SEEDS if self.has_few else ""
        figure = new_figure(HEAD + rows * (HIGH + FOOT) - 24, theme, title, below)
        key = [
            ("FreezeNet: frozen at random values", theme.frozen, "o", "-"),
            ("pruned twin: frozen at 0, same masks", theme.pruned, "s", (0, (4, 2))),
            ("dense", theme.faint, "", "-"),
        ]
        write_key(figure, 66, key, theme)
        wide = (WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns
        for number, panel in enumerate(self.panels):
            row, column = divmod(number, columns)
            box = (LEFT + column * (wide + GAP), HEAD + row * (HIGH + FOOT), wide, HIGH)
            _draw_panel(place_axes(figure, box, theme), panel, theme)
        return figure


def picture_curves(studies: Sequence[Study], name: str = "accuracy") -> Curves | None:
    """Return the picture of all networks with two freezing rates or more; None without one."""
    wanted = [study for study in studies if study.is_first and study.has_sweep]
    chosen = [study for study in wanted if len(study.sweep) > 1]
    panels = tuple(_panel(study) for study in chosen)
    has_few = any(
        len(group.runs) < ENOUGH
        for study in chosen
        for pair in study.sweep
        for group in pair.groups
    )
    return Curves(panels, has_few, name) if panels else None


def _panel(study: Study) -> Panel:
    def points(side: str) -> Points:
        groups = [getattr(pair, side) for pair in study.sweep]
        return tuple(
            (group.setup.freezing_rate, round(group.error.mean, 4), round(group.error.sd, 4))
            for group in groups
            if group is not None
        )

    dense = study.dense.error if study.dense else None
    band = (round(dense.mean, 4), round(dense.sd, 4)) if dense else None
    return Panel(study.network, points("frozen"), points("pruned"), band)


def _draw_panel(axes: Any, panel: Panel, theme: Theme) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    everything = [*panel.frozen, *panel.pruned]
    errors = [error for _, error, _ in everything] + ([panel.dense[0]] if panel.dense else [])
    low = 0.75 * max(min(errors), 0.01)
    high = 1.25 * max([*errors, 2 * low])
    axes.set_ylim(high, low)
    set_ticks(axes.yaxis, {error: f"{100 - error:g}" for error in _ticks(low, high)}, theme)
    rates = sorted({rate for rate, _, _ in everything}, key=float)
    shares = {1 - float(rate): rate for rate in rates}
    axes.set_xlim(1.35 * max(shares), min(shares) / 1.35)
    set_ticks(axes.xaxis, shares)
    place = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(panel.title, (0, 1), (0, 9), weight="bold", color=theme.text, **place)
    axes.set_xlabel("freezing rate", size=SMALL, color=theme.faint, labelpad=4)
    if panel.dense:
        _draw_dense(axes, panel.dense, theme)
    looks = (
        (panel.pruned, theme.pruned, "s", (0, (4, 2))),
        (panel.frozen, theme.frozen, "o", "-"),
    )
    for points, colour, marker, style in looks:
        if points:
            found = {rate: (error, sd) for rate, error, sd in points}
            spots = [found.get(rate, (nan, nan)) for rate in rates]  # a gap where one is missing
            xs, ys = [1 - float(rate) for rate in rates], [error for error, _ in spots]
            bars = [[min(sd, 0.7 * error) for error, sd in spots], [sd for _, sd in spots]]
            look = {"color": colour, "marker": marker, "ls": style, "ms": 5.5, "lw": 1.8}
            axes.errorbar(xs, ys, yerr=bars, capsize=2.5, elinewidth=1.2, **look)


def _ticks(low: float, high: float) -> list[float]:
    """Return errors between two others that have room for their labels.

    Examples
    --------
    >>> _ticks(1.4, 13), _ticks(0.5, 95)
    ([1.5, 2, 3, 4, 5, 7, 10], [0.5, 1, 2, 5, 10, 20, 50, 90])
    """
    chosen: list[float] = []
    for error in (*_COARSE, *_FINE):
        gaps = [abs(log(error / other)) for other in chosen]
        if low <= error <= high and min(gaps, default=9.0) > _ROOM * log(high / low):
            chosen.append(error)
    return sorted(chosen)


def _draw_dense(axes: Any, dense: tuple[float, float], theme: Theme) -> None:
    mean, sd = dense
    axes.axhspan(mean - min(sd, 0.7 * mean), mean + sd, color=theme.faint, alpha=0.25, lw=0)
    axes.axhline(mean, color=theme.faint, lw=1.2)
    place = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
    behind = {"boxstyle": "square,pad=0.1", "facecolor": theme.page, "edgecolor": "none"}
    style = {"ha": "right", "va": "bottom", "size": SMALL, "color": theme.faint, "bbox": behind}
    edge = mean - min(sd, 0.7 * mean)
    axes.annotate(f"dense {100 - mean:.2f}", (1, edge), (0, 3), **place, **style)
