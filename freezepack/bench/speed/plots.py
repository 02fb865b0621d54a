"""Pictures for the README: bars with their numbers, for light and for dark pages."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from freezepack.bench.speed.bars import Panel, Picture, picture_fills, picture_loads

WIDTH = 800
"""Width in a README, in pixels; pictures have twice as many."""
ROW, HEAD, FOOT = 27, 80, 26
"""Heights in the same pixels: of a row, above the rows and below."""
LEFT, GAP, RIGHT = 246, 62, 58
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a picture."""

    page: str
    text: str
    faint: str
    ours: str
    tint: str
    others: str


THEMES = {
    "light": Theme("#ffffff", "#1f2328", "#6e7781", "#0b6bcb", "#9cc7f0", "#c4cbd3"),
    "dark": Theme("#0d1117", "#e6edf3", "#8d96a0", "#4a9eff", "#23507f", "#444c56"),
}
PICTURES: dict[str, Callable[[Rows], Picture | None]] = {
    "generator": picture_fills,
    "load": picture_loads,
}


def draw_pictures(parts: Mapping[str, Rows]) -> dict[str, bytes]:
    """Return the pictures of the parts that have one, as PNG by file name.

    Parameters
    ----------
    parts : mapping of str to rows
        As in `SpeedResult.rows`. A part whose rows are not those of a picture has none.
    """
    found = {}
    for part, make in PICTURES.items():
        picture = make(parts.get(part, ()))
        if picture is not None:
            for name, theme in THEMES.items():
                found[f"speed-{part}-{name}.png"] = draw(picture, theme)
    return found


def draw(picture: Picture, theme: Theme) -> bytes:
    """Return one picture: panels side by side whose rows share names and scale."""
    matplotlib: Any = import_module("matplotlib")
    figures: Any = import_module("matplotlib.figure")
    panels = picture.panels
    count = len(panels[0].bars)
    height = HEAD + ROW * count + FOOT
    limit = max(panel.limit for panel in panels)
    with matplotlib.rc_context({"font.family": "sans-serif", "font.size": 9.5}):
        figure = figures.Figure(figsize=(WIDTH / 100, height / 100), facecolor=theme.page)
        heads = (
            (22, picture.title, theme.text, 12.5, "bold"),
            (42, picture.unit, theme.faint, 9, "normal"),
        )
        for y, text, colour, size, weight in heads:
            place = (12 / WIDTH, 1 - y / height)
            figure.text(*place, text, color=colour, size=size, weight=weight)
        room = (WIDTH - LEFT - RIGHT - GAP * (len(panels) - 1)) / len(panels)
        for number, panel in enumerate(panels):
            left = LEFT + number * (room + GAP)
            box = (left / WIDTH, FOOT / height, room / WIDTH, ROW * count / height)
            axes = figure.add_axes(box, facecolor=theme.page)
            axes.set(xlim=(0, limit), ylim=(count - 0.5, -0.5))
            axes.set_axis_off()
            _draw_panel(axes, panel, theme)
            if number == 0:
                _name_rows(axes, panel, theme)
        out = io.BytesIO()
        # No version in the file, so that the same numbers give the same bytes.
        figure.savefig(out, format="png", dpi=200, metadata={"Software": None})
    return _with_few_colours(out.getvalue())


def _draw_panel(axes: Any, panel: Panel, theme: Theme) -> None:
    colours = {"ours": theme.ours, "tint": theme.tint, "others": theme.others}
    # Offsets are in points, of which 0.72 are a pixel of the README.
    free = {"textcoords": "offset points", "color": theme.text, "annotation_clip": False}
    across = {"xycoords": axes.get_xaxis_transform(), **free}
    axes.annotate(panel.title, (0, 1), (0, 7), weight="bold", **across)
    for row, bar in enumerate(panel.bars):
        axes.barh(row, bar.value, height=0.62, color=colours[bar.kind])
        # The line ends where a number stands.
        behind = {"boxstyle": "square,pad=0.15", "facecolor": theme.page, "edgecolor": "none"}
        place = {"va": "center", "bbox": behind, "zorder": 4}
        axes.annotate(bar.label, (bar.value, row), (6, 0), **place, **free)
    if panel.line is not None:
        ends = [-0.5, len(panel.bars) - 0.5]
        axes.plot([panel.line] * 2, ends, color=theme.text, lw=1, ls=(0, (2, 2)), clip_on=False)
        text = {"size": 8.5, "ha": "center", "va": "top"}
        axes.annotate(panel.line_label, (panel.line, 0), (0, -3), **text, **across)


def _name_rows(axes: Any, panel: Panel, theme: Theme) -> None:
    for row, bar in enumerate(panel.bars):
        axes.annotate(
            bar.name,
            (0, row),
            (-8, 0),
            color=theme.text if bar.kind == "ours" else theme.faint,
            textcoords="offset points",
            ha="right",
            va="center",
        )


def _with_few_colours(png: bytes) -> bytes:
    """Return the same picture with a palette, in a third of the bytes."""
    image: Any = import_module("PIL.Image")
    out = io.BytesIO()
    colours = image.open(io.BytesIO(png)).convert("RGB").quantize(64, dither=0)
    colours.save(out, format="png", optimize=True)
    return out.getvalue()
