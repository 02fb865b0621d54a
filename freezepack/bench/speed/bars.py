"""From rows of results to the bars of a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from freezepack.bench.speed.cases import FILL, MIDDLE, PEER, REBUILD
from freezepack.bench.speed.report import count_of, show

Rows = Sequence[Mapping[str, Any]]
NAMES = {
    PEER: "torch normal_, uniform_",
    "numpy": "NumPy reference",
    "torch": "torch back end, int64",
    "native portable": "portable C++",
    "native avx2": "AVX2",
    "native avx512": "AVX-512",
    "native neon": "NEON",
}
FOR_BFLOAT16 = "native avx512-bf16"
"""Differs from AVX-512 for bfloat16 alone, so the picture of float32 leaves it out."""
PATCHED = "with patch and digest"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a name, its length, what stands at its end, and whose it is.

    Attributes
    ----------
    value : float
        In the unit of the picture.
    kind : {"ours", "tint", "others"}
        "tint" is a variant of ours.
    """

    name: str
    value: float
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars below each other, and a line across them."""

    title: str
    bars: tuple[Bar, ...]
    line: float | None = None
    line_label: str = ""

    @property
    def limit(self) -> float:
        """The value at the right edge."""
        return max([bar.value for bar in self.bars] + [self.line or 0.0])


@dataclass(frozen=True, slots=True)
class Picture:
    """Panels whose rows are the same, what they show, and in what unit."""

    title: str
    unit: str
    panels: tuple[Panel, ...]


def picture_fills(rows: Rows) -> Picture | None:
    """Return a panel for normal and one for uniform numbers, by path; None without such rows.

    Of several sizes that of a ResNet-18 is shown, else the largest; one thread, float32.
    """
    chosen = [
        row
        for row in rows
        if row["threads"] == 1 and row["dtype"] == "float32" and row["path"] != FOR_BFLOAT16
    ]
    sizes = {row["elements"] for row in chosen}
    if not sizes:
        return None
    size = MIDDLE if MIDDLE in sizes else max(sizes)
    chosen = [row for row in chosen if row["elements"] == size]
    normal, uniform = (_fill_panel(chosen, draw) for draw in ("normal", "uniform"))
    if normal is None or uniform is None:
        return None
    title = f"Drawing {show_millions(size)} weights, one thread"
    return Picture(title, "GB of float32 written per second", (normal, uniform))


def _fill_panel(rows: Rows, draw: str) -> Panel | None:
    speeds = {(r["path"], r["work"]): r["gb_per_s"] for r in rows if r["draw"] == draw}
    # The order of the first panel, so that rows mean the same in both.
    order = {r["path"]: r["gb_per_s"] for r in rows if r["draw"] == "normal" and r["work"] == FILL}
    paths = sorted(order, key=lambda path: -order[path])
    ours = [path for path in paths if path != PEER]
    if not ours or any((path, FILL) not in speeds for path in paths):
        return None
    bars = []
    for path in paths:
        value = speeds[path, FILL]
        kind = "others" if path == PEER else "ours"
        bars.append(Bar(NAMES.get(path, path), value, show(value), kind))
        if path == ours[0] and (path, REBUILD) in speeds:
            value = speeds[path, REBUILD]
            bars.append(Bar(PATCHED, value, show(value), "tint"))
    memcpy = median(row["memcpy_gb_per_s"] for row in rows)
    return Panel(draw, tuple(bars), memcpy, f"memcpy {show(memcpy)}")


def picture_loads(rows: Rows) -> Picture | None:
    """Return a panel for cold files and one for warm ones; None without rows of both.

    The largest network is shown, loaded by as many threads as were measured at most.
    """
    if not rows:
        return None
    size, threads = max((row["weights"], row["threads"]) for row in rows)
    chosen = [row for row in rows if (row["weights"], row["threads"]) == (size, threads)]
    times = {(row["cache"], row["file"]): 1e3 * row["seconds"] for row in chosen}
    sizes = {row["file"]: row["file_bytes"] for row in chosen if row["file_bytes"]}
    if any((cache, name) not in times for name in sizes for cache in ("cold", "warm")):
        return None
    names = sorted(sizes, key=lambda name: times["cold", name])
    memcpy = next((1e3 * row["seconds"] for row in chosen if not row["file_bytes"]), None)
    panels = []
    for cache, title in (("cold", "from disk"), ("warm", "from the page cache")):
        bars = []
        for name in names:
            value = times[cache, name]
            kind = "ours" if name.startswith("pack") else "others"
            shown = f"{name.replace('pack', 'freezepack')}  ·  {show(sizes[name] / 1e6)} MB"
            bars.append(Bar(shown, value, show(value), kind))
        line = memcpy if cache == "warm" else None
        panels.append(Panel(title, tuple(bars), line, f"memcpy {show(line)}" if line else ""))
    title = f"Loading {show_millions(size)} weights, 1 % of them trained"
    unit = f"milliseconds with {count_of(threads, 'thread')}, shorter is better"
    return Picture(title, unit, tuple(panels))


def show_millions(count: int) -> str:
    """Return a count of weights.

    Examples
    --------
    >>> show_millions(11_000_000), show_millions(430_500)
    ('11 million', '430,500')
    """
    return f"{count // 10**6:,} million" if count % 10**6 == 0 else f"{count:,}"
