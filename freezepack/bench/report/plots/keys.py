"""Names of lines, beside their markers above a picture or at their ends."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from freezepack.bench.report.plots.style import SMALL, WIDTH, Theme, measure_text, place_text


def write_key(
    figure: Any, y: float, entries: Sequence[tuple[str, str, str, Any]], theme: Theme
) -> None:
    """Write markers and names in one line: (name, colour, marker, line style)."""
    x = 14.0
    lines: Any = import_module("matplotlib.lines")
    height = figure.get_figheight() * 100
    for name, colour, marker, style in entries:
        xs = [x / WIDTH, (x + 12) / WIDTH, (x + 24) / WIDTH]
        look = {"color": colour, "marker": marker, "ls": style or "none", "markevery": [1]}
        line = lines.Line2D(xs, [1 - y / height] * 3, lw=1.8, ms=5.5, **look)
        figure.add_artist(line)
        place_text(figure, x + 31, y, name, size=SMALL, color=theme.text)
        x += 31 + measure_text(figure, name, SMALL) + 22


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """Move values apart until neighbours are a gap away from each other; keep their order.

    Examples
    --------
    >>> spread_out([0.0, 1.0, 10.0], 3.0)
    [-1.0, 2.0, 10.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    found = [places[i] for i in order]
    for _ in range(200):
        moved = False
        for i in range(len(found) - 1):
            lack = gap - (found[i + 1] - found[i])
            if lack > 1e-6:
                found[i], found[i + 1], moved = found[i] - lack / 2, found[i + 1] + lack / 2, True
        if not moved:
            break
    back = dict(zip(order, found, strict=True))
    return [back[i] for i in range(len(places))]
