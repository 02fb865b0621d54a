"""The trained share of each layer against the freezing rate: a panel for each network."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from freezepack.bench.report.arrange import Study
from freezepack.bench.report.layers import layers_of
from freezepack.bench.report.plots.keys import spread_out
from freezepack.bench.report.plots.style import (
    SMALL,
    WIDTH,
    Theme,
    new_figure,
    place_axes,
    set_ticks,
)
from freezepack.bench.report.show import show_share

HEAD, HIGH, FOOT, LEFT, GAP, RIGHT = 92, 230, 80, 58, 140, 96
MOST_NAMES = 6
"""Layers up to which each is named; of more the first and the last are."""
Line = tuple[str, tuple[tuple[str, float], ...]]
"""Name of a layer; freezing rates and trained shares."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One network on one data set."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Densities:
    """The picture of trained shares."""

    panels: tuple[Panel, ...]
    name: str = "layers"

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it."""
        shown = "; ".join(panel.title for panel in self.panels)
        return (
            f"Share of each layer's weights that is trained, against the freezing rate: {shown}. "
            "The numbers are in the tables below."
        )

    def draw(self, theme: Theme) -> Any:
        """Return the figure."""
        columns = min(len(self.panels), 2)
        rows = -(-len(self.panels) // columns)
        title = "Trained share of each layer"
        below = "Both scales are logarithmic; dashed: the share of the whole network."
        figure = new_figure(HEAD + rows * (HIGH + FOOT) - 24, theme, title, below)
        wide = (WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns
        for number, panel in enumerate(self.panels):
            row, column = divmod(number, columns)
            box = (LEFT + column * (wide + GAP), HEAD + row * (HIGH + FOOT), wide, HIGH)
            _draw_panel(place_axes(figure, box, theme), panel, theme)
        return figure


def picture_densities(studies: Sequence[Study]) -> Densities | None:
    """Return the picture of all networks with two freezing rates or more; None without one."""
    panels = [
        Panel(study.network, lines)
        for study in studies
        if study.is_first and len(study.sweep) > 1 and (lines := _lines(study))
    ]
    return Densities(tuple(panels)) if panels else None


def _lines(study: Study) -> tuple[Line, ...]:
    return tuple(
        (layer.name, tuple((rate, round(share, 7)) for rate, share in layer.shares.items()))
        for layer in layers_of(study.sweep)
    )


def _draw_panel(axes: Any, panel: Panel, theme: Theme) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    rates = sorted({rate for _, points in panel.lines for rate, _ in points}, key=float)
    shares = {1 - float(rate): rate for rate in rates}
    found = [share for _, points in panel.lines for _, share in points if share > 0]
    low, high = 0.7 * min([*found, min(shares)]), 1.25 * max(found)
    axes.set_xlim(1.2 * max(shares), min(shares) / 1.2)
    axes.set_ylim(low, high)
    tight = len(rates) > 4
    ticks = {x: "" if tight and n % 2 else rate for n, (x, rate) in enumerate(shares.items())}
    set_ticks(axes.xaxis, ticks)
    decades = {10.0**-power: show_share(10.0**-power) for power in range(9)}
    set_ticks(axes.yaxis, {y: text for y, text in decades.items() if low <= y <= high}, theme)
    place = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(panel.title, (0, 1), (0, 9), weight="bold", color=theme.text, **place)
    axes.set_xlabel("freezing rate", size=SMALL, color=theme.faint, labelpad=4)
    axes.plot(list(shares), list(shares), color=theme.faint, lw=1.2, ls=(0, (3, 3)))
    colours = _colours(len(panel.lines), theme)
    for (_, points), colour in zip(panel.lines, colours, strict=True):
        drawn = [(1 - float(rate), share) for rate, share in points if share > 0]
        axes.plot(*zip(*drawn, strict=True), color=colour, lw=1.8, marker="o", ms=4)
    _name_lines(axes, panel.lines, theme.text)


def _colours(count: int, theme: Theme) -> list[Any]:
    """Return colours from the first layer to the last, by lightness as well as by hue."""
    maps: Any = import_module("matplotlib")
    scale = maps.colormaps["viridis"]
    low, high = (0.0, 0.78) if theme.name == "light" else (0.32, 1.0)
    return [scale(low + (high - low) * n / max(count - 1, 1)) for n in range(count)]


def _name_lines(axes: Any, lines: Sequence[Line], colour: str) -> None:
    """Write the names at the right ends, apart from each other."""
    chosen = [
        n
        for n, (_, points) in enumerate(lines)
        if points[-1][1] > 0 and (len(lines) <= MOST_NAMES or n in (0, len(lines) - 1))
    ]
    pixels = axes.figure.dpi / 72
    ends = [(1 - float(lines[n][1][-1][0]), lines[n][1][-1][1]) for n in chosen]
    heights = [float(axes.transData.transform(end)[1]) for end in ends]
    for n, end, before, after in zip(
        chosen, ends, heights, spread_out(heights, 13 * pixels), strict=True
    ):
        offset = (9, (after - before) / pixels)
        style = {"va": "center", "size": SMALL, "color": colour, "annotation_clip": False}
        name = lines[n][0].removesuffix(".weight")
        axes.annotate(name, end, offset, textcoords="offset points", parse_math=False, **style)
