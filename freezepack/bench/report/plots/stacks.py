"""Bytes by part: bars of header, index and values, beside other programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freezepack.bench.report.parts import FileSize
from freezepack.bench.report.plots.keys import write_key
from freezepack.bench.report.plots.style import (
    SMALL,
    WIDTH,
    Theme,
    measure_text,
    new_figure,
    place_axes,
    place_text,
)

HEAD, ROW, FOOT, GAP, RIGHT = 118, 26, 34, 62, 62
MOST = 2.5
"""Bars longer than so many times our largest pack are named below instead."""
Bar = tuple[str, tuple[int, int, int] | None, int]
"""Name; header, index and values, if it is ours; all bytes."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One model."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Stacks:
    """The picture: panels whose rows are the same."""

    model: str
    panels: tuple[Panel, ...]
    left_out: tuple[str, ...]
    name: str = "bytes-by-part"

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it."""
        models = " and ".join(panel.title for panel in self.panels)
        return (
            f"Bytes of header, index and values of {self.model} as packs, {models}, beside the "
            "same tensors as other programs store them. The numbers are in the tables below."
        )

    def draw(self, theme: Theme) -> Any:
        """Return the figure."""
        names = [name for name, _, _ in self.panels[0].bars]
        height = HEAD + ROW * len(names) + FOOT
        note = f"{self.model}. A star marks files that round the trained values."
        figure = new_figure(height, theme, "Where the bytes are", note)
        start = 26 + max(measure_text(figure, name, SMALL + 0.5) for name in names)
        colours = (theme.faint, theme.pruned, theme.frozen)  # as in inspect --plot
        key = [
            (part, colour, "s", "")
            for part, colour in zip(("header", "index", "values"), colours, strict=True)
        ]
        write_key(figure, 66, [*key, ("other programs", theme.peers, "s", "")], theme)
        count = len(self.panels)
        room = (WIDTH - start - RIGHT - GAP * (count - 1)) / count
        limit = max(total for panel in self.panels for _, _, total in panel.bars)
        for number, panel in enumerate(self.panels):
            left = start + number * (room + GAP)
            axes = place_axes(figure, (left, HEAD, room, ROW * len(names)), theme)
            axes.set(xlim=(0, limit), ylim=(len(names) - 0.5, -0.5))
            axes.set_axis_off()
            place_text(figure, left, HEAD - 14, panel.title, color=theme.text, weight="bold")
            _draw_bars(axes, panel.bars, colours, theme)
        for row, (name, parts, _) in enumerate(self.panels[0].bars):
            y = HEAD + ROW * (row + 0.5)
            colour = theme.text if parts else theme.faint
            place_text(figure, start - 10, y, name, ha="right", color=colour, size=SMALL + 0.5)
        if self.left_out:
            text = f"Not drawn: {'; '.join(self.left_out)}."
            place_text(figure, 14, height - 14, text, size=SMALL - 0.5, color=theme.faint)
        return figure


def picture_stacks(models: Mapping[str, Sequence[FileSize]]) -> Stacks | None:
    """Return the picture of the first two models that have packs; None without one."""
    chosen = [
        (name, files)
        for name, files in models.items()
        if any(size.header is not None for size in files)
    ][:2]
    if not chosen:
        return None
    ours = [size.bytes for _, files in chosen for size in files if size.header is not None]
    limit = MOST * max(ours)
    shown = [[size for size in files if size.bytes <= limit] for _, files in chosen]
    names = set.intersection(*({size.file for size in files} for files in shown))
    order = [size.file for size in shown[0] if size.file in names]
    panels = []
    for (name, _), files in zip(chosen, shown, strict=True):
        sizes = {size.file: size for size in files}
        panels.append(Panel(_title(name), tuple(_bar(sizes[file]) for file in order)))
    rest = [size for size in chosen[0][1] if size.file not in names]
    left_out = tuple(f"{_name(size)} {size.bytes:,}" for size in rest)
    return Stacks(chosen[0][0], tuple(panels), left_out)


def _title(name: str) -> str:
    """Return whose panel it is.

    Examples
    --------
    >>> _title("lenet5-caffe-mnist-q0.995-s1-zeros"), _title("lenet5-caffe-mnist-q0.995-s1")
    ('pruned twin', 'FreezeNet')
    """
    return "pruned twin" if name.endswith("-zeros") else "FreezeNet"


def _name(size: FileSize) -> str:
    return f"{size.file.replace(' (lossy)', '')}{' *' if size.lossy else ''}"


def _bar(size: FileSize) -> Bar:
    if size.header is None or size.index is None or size.values is None:
        return _name(size), None, size.bytes
    return _name(size), (size.header, size.index, size.values), size.bytes


def _draw_bars(axes: Any, bars: Sequence[Bar], colours: Sequence[str], theme: Theme) -> None:
    place = {"textcoords": "offset points", "va": "center", "annotation_clip": False}
    for row, (_, parts, total) in enumerate(bars):
        left = 0
        pieces = zip(parts, colours, strict=True) if parts else [(total, theme.peers)]
        for size, colour in pieces:
            axes.barh(row, size, left=left, height=0.62, color=colour, lw=0)
            left += size
        axes.annotate(f"{total:,}", (total, row), (5, 0), color=theme.text, size=SMALL, **place)
