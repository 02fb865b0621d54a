"""The picture of `freezepack inspect --plot`: density per tensor, and where the bytes go."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import floor, log10
from pathlib import Path
from typing import Any

from freezepack.errors import MissingExtraError, UnknownNameError

ENDINGS = (".pdf", ".png", ".svg")
MOST_ROWS = 36
"""Rows up to which each tensor has its own."""
MOST_LETTERS = 44
"""Of a name; the middle of a longer one is left out."""
TEXT, FAINT, GRID = "#1f2328", "#6e7781", "#e6e8eb"
INDEX, VALUES, HEADER = "#d9822b", "#2f6fb0", "#8c959f"
WIDTH, ROW, HEAD, FOOT, TITLE = 9.6, 0.215, 1.08, 0.3, 12.5
"""Inches, and the points of the title."""


@dataclass(frozen=True, slots=True)
class Row:
    """A tensor, or several that are shown as one."""

    name: str
    entries: int
    trained: int
    index_bytes: int
    value_bytes: int
    header_bytes: int = 0

    @property
    def nbytes(self) -> int:
        """All bytes of the row."""
        return self.index_bytes + self.value_bytes + self.header_bytes

    @property
    def is_masked(self) -> bool:
        """Whether some entries are trained, and others are not."""
        return 0 < self.trained < self.entries


def check_plot(path: str) -> None:
    """Refuse a kind of picture that is not known, and a machine that cannot draw.

    Raises
    ------
    UnknownNameError
        If the ending is none of `ENDINGS`.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> check_plot("model.gif")
    Traceback (most recent call last):
    freezepack.errors.UnknownNameError: no picture named '.gif'. Known: .pdf, .png, .svg.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise UnknownNameError("picture", ending, ENDINGS)
    if find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "bench", "freezepack inspect --plot")


def rows_of(facts: Mapping[str, Any], most: int = MOST_ROWS) -> list[Row]:
    """Return what is drawn: the tensors of a pack in file order, then its header.

    Parameters
    ----------
    facts : mapping
        As `inspect --json` prints them.
    most : int
        If there are more tensors, those trained as a whole or not at all are put together by the
        last part of their name; if there are still more, the smallest are put together.

    Returns
    -------
    list of Row
        The bytes of all rows add up to those of the file.
    """
    tensors = facts["tensors"]
    keys = ("name", "entries", "trained", "index_bytes", "value_bytes")
    rows = [Row(*(tensor[key] for key in keys)) for tensor in tensors]
    if len(rows) > most:
        rows = _merge_plain(rows)
    if len(rows) > most:
        ranked = sorted(rows, key=lambda row: (row.nbytes, row.entries), reverse=True)
        kept = {row.name for row in ranked[: most - 1]}
        rest = [row for row in rows if row.name not in kept]
        merged = _merge(f"the {len(rest)} smallest others", rest)
        rows = [*(row for row in rows if row.name in kept), merged]
    header = facts["bytes"] - sum(row.nbytes for row in rows)
    return [*rows, Row("header, names, checksums", 0, 0, 0, 0, header)]


def draw_pack(name: str, facts: Mapping[str, Any], ending: str) -> bytes:
    """Return the picture of a pack; the same facts give the same bytes.

    Parameters
    ----------
    name : str
        What stands above it.
    facts : mapping
        As `inspect --json` prints them.
    ending : str
        One of `ENDINGS`.
    """
    matplotlib: Any = import_module("matplotlib")
    figures: Any = import_module("matplotlib.figure")
    rows = rows_of(facts)
    height = HEAD + ROW * len(rows) + FOOT
    style = {"font.family": "DejaVu Sans", "font.size": 8, "svg.hashsalt": "freezepack"}
    with matplotlib.rc_context(style):
        figure = figures.Figure(figsize=(WIDTH, height), facecolor="white")
        title = {"size": TITLE, "weight": "bold", "parse_math": False}  # names may have a $
        figure.text(0.02, 1 - 0.3 / height, name, color=TEXT, va="center", **title)
        figure.text(0.02, 1 - 0.54 / height, _summary(facts), size=8.5, color=FAINT, va="center")
        bottom, tall = FOOT / height, ROW * len(rows) / height
        left = _name_width(rows)
        room = (1 - left) / 2
        density = figure.add_axes((left, bottom, room - 0.14, tall))
        sizes = figure.add_axes((left + room + 0.01, bottom, room - 0.1, tall))
        for axes in (density, sizes):
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.set_axis_off()
        _draw_density(density, rows)
        _draw_bytes(sizes, rows, facts["bytes"])
        out = io.BytesIO()
        about = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
        figure.savefig(out, format=ending[1:], dpi=200, metadata=about[ending])
    return out.getvalue()


def _summary(facts: Mapping[str, Any]) -> str:
    share = facts["trained"] / facts["entries"] if facts["entries"] else 0.0
    return (
        f"{facts['bytes']:,} bytes for {facts['rebuilt_bytes']:,}, factor "
        f"{facts['rebuilt_bytes'] / facts['bytes']:,.1f}  ·  {facts['trained']:,} of "
        f"{facts['entries']:,} entries trained, {_percent(share)}"
    )


def _draw_density(axes: Any, rows: Sequence[Row]) -> None:
    """Draw a point per row on a logarithmic scale, and its number beside it."""
    shares = [row.trained / row.entries for row in rows if row.trained and row.entries]
    lowest = 10.0 ** min(floor(log10(min(shares, default=0.1)) - 0.05), -1)
    axes.set_xscale("log")
    axes.set_xlim(lowest, 1)
    last = max((n for n, row in enumerate(rows) if row.entries), default=0) + 0.5
    place = {"textcoords": "offset points", "annotation_clip": False}
    across = {"xycoords": axes.get_xaxis_transform(), "color": FAINT, "ha": "center", **place}
    decades = round(-log10(lowest))
    for power in range(decades + 1):
        tick = 10.0**-power
        axes.plot([tick, tick], [-0.5, last], color=GRID, lw=0.8, zorder=0, clip_on=False)
        if power % (1 + decades // 5) == 0:
            axes.annotate(_percent(tick), (tick, 1), (0, 4), size=7, **across)
    title = {**across, "color": TEXT, "ha": "left"}
    axes.annotate("Trained share of each tensor", (lowest, 1), (0, 17), weight="bold", **title)
    axes.annotate("number", (1, 1), (84, 4), size=7, **{**across, "ha": "right"})
    for y, row in enumerate(rows):
        is_tensor = row.entries > 0
        colour = TEXT if is_tensor else FAINT
        beside = {"xycoords": axes.get_yaxis_transform(), "ha": "right", "va": "center", **place}
        name = _shorten(row.name)
        axes.annotate(name, (0, y), (-9, 0), color=colour, parse_math=False, **beside)
        if not is_tensor:
            continue
        share = row.trained / row.entries
        at = max(share, lowest)
        axes.plot([lowest, at], [y, y], color=GRID, lw=2.2, zorder=1, solid_capstyle="butt")
        full = VALUES if row.trained else "white"
        axes.plot([at], [y], "o", color=VALUES, mfc=full, ms=5, zorder=3, clip_on=False)
        text = f"{_percent(share)}  " if 0 < share < 1 else "all  " if share else "none  "
        axes.annotate(text, (1, y), (8, 0), va="center", color=TEXT, zorder=4, **place)
        right = {"va": "center", "ha": "right", "color": FAINT, **place}
        axes.annotate(f"{row.trained:,}", (1, y), (84, 0), **right)


def _draw_bytes(axes: Any, rows: Sequence[Row], total: int) -> None:
    """Draw a bar per row, divided into index and values, with its bytes behind it."""
    longest = max(row.nbytes for row in rows)
    axes.set_xlim(0, max(longest, 1))
    place = {"textcoords": "offset points", "annotation_clip": False, "va": "center"}
    parts = (
        ("index", INDEX, [row.index_bytes for row in rows]),
        ("values", VALUES, [row.value_bytes for row in rows]),
        ("header", HEADER, [row.header_bytes for row in rows]),
    )
    starts = [0] * len(rows)
    across = {**place, "xycoords": axes.get_xaxis_transform(), "va": "baseline"}
    axes.annotate("Where the bytes are", (0, 1), (0, 17), color=TEXT, weight="bold", **across)
    left: Any = axes.annotate("", (0, 1), (0, 4), size=7.5, **across)
    for part, colour, sizes in parts:
        axes.barh(range(len(rows)), sizes, left=starts, height=0.66, color=colour, lw=0)
        starts = [start + size for start, size in zip(starts, sizes, strict=True)]
        words = {"size": 7.5, "color": colour, "weight": "bold", "annotation_clip": False}
        share = f"{part} {_percent(sum(sizes) / total)}   "
        left = axes.annotate(share, (1, 0), xycoords=left, va="bottom", **words)
    for y, row in enumerate(rows):
        axes.annotate(f"{row.nbytes:,}", (row.nbytes, y), (5, 0), color=TEXT, **place)


def _name_width(rows: Sequence[Row]) -> float:
    """Return the share of the width that the longest name needs, at about 4.5 points a letter."""
    longest = max(len(_shorten(row.name)) for row in rows)
    return min(0.035 + 0.0066 * longest, 0.4)


def _shorten(name: str) -> str:
    """Return a name of at most `MOST_LETTERS`; the number of a layer is often near its beginning.

    Examples
    --------
    >>> _shorten("model.decoder.layers.11.self_attention.output.weight")
    'model.decoder.layers.11.…ntion.output.weight'
    """
    if len(name) <= MOST_LETTERS:
        return name
    return f"{name[:24]}\N{HORIZONTAL ELLIPSIS}{name[25 - MOST_LETTERS :]}"


def _percent(share: float) -> str:
    """Return a share with two digits that count.

    Examples
    --------
    >>> [_percent(share) for share in (1, 0.5, 0.0501, 0.00123, 1e-5)]
    ['100 %', '50 %', '5 %', '0.12 %', '0.001 %']
    """
    if not share:
        return "0 %"
    digits = max(0, 1 - floor(log10(100 * share)))
    text = f"{100 * share:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def _merge_plain(rows: Sequence[Row]) -> list[Row]:
    """Put tensors without a mask together that have the last part of their name in common."""
    groups: dict[tuple[str, bool], list[Row]] = {}
    for row in rows:
        if not row.is_masked:
            key = row.name.rpartition(".")[2], row.trained == 0
            groups.setdefault(key, []).append(row)
    merged = [
        _merge(f"*.{last} ({len(group)} tensors)", group) if len(group) > 1 else group[0]
        for (last, _), group in sorted(groups.items())
    ]
    return [*(row for row in rows if row.is_masked), *merged]


def _merge(name: str, rows: Sequence[Row]) -> Row:
    fields = ("entries", "trained", "index_bytes", "value_bytes")
    return Row(name, *(sum(getattr(row, field) for row in rows) for field in fields))
