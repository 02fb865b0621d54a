"""What all pictures share: colours, sizes, and how they become files."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

WIDTH = 800
"""Width in a README, in pixels; files have twice as many."""
SCALE = 2
SIZE, SMALL, TITLE = 9.5, 8.5, 12.5
"""Points of text; 8.5 points are 12 pixels of a README."""
DIGEST = "freezepack-data"
"""Key of the text in a PNG that says from which numbers it was drawn."""
COLOURS = 96
FEW_SEEDS = " Some points are of fewer than 3 seeds."
"""What a picture adds to its second line."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a page; frozen, pruned, third and the two others differ in lightness too."""

    name: str
    page: str
    text: str
    faint: str
    grid: str
    frozen: str
    pruned: str
    third: str
    quoted: str
    peers: str


THEMES = (
    Theme(
        "light", "#ffffff", "#1f2328", "#59636e", "#e4e7eb",
        "#0b5cad", "#c2560c", "#00795a", "#59636e", "#c4cbd3",
    ),
    Theme(
        "dark", "#0d1117", "#e6edf3", "#9aa4af", "#262c34",
        "#58a6ff", "#f0a05a", "#2fd1a0", "#9aa4af", "#444c56",
    ),
)  # fmt: skip


class Picture(Protocol):
    """What can be drawn. Its text form says all that decides what it shows."""

    @property
    def name(self) -> str:
        """Part of the file names, without theme and ending."""
        ...

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it."""
        ...

    def draw(self, theme: Theme) -> Any:
        """Return the figure."""
        ...


def files_of(picture: Picture) -> list[str]:
    """Return the names of the files, light before dark."""
    return [f"report-{picture.name}-{theme.name}.png" for theme in THEMES]


def digest_of(picture: Picture) -> str:
    """Return 16 hexadecimal digits that change with what a picture shows."""
    return hashlib.sha256(repr(picture).encode()).hexdigest()[:16]


def draw_files(picture: Picture) -> dict[str, bytes]:
    """Return a PNG for each theme by file name; the same numbers give the same bytes."""
    matplotlib: Any = import_module("matplotlib")
    found = {}
    for name, theme in zip(files_of(picture), THEMES, strict=True):
        style = {
            "font.family": "DejaVu Sans",
            "font.size": SIZE,
            "axes.edgecolor": theme.grid,
            "text.color": theme.text,
            "axes.labelcolor": theme.text,
        }
        with matplotlib.rc_context(style):
            out = io.BytesIO()
            picture.draw(theme).savefig(out, format="png", dpi=100 * SCALE)
        found[name] = _shrink(out.getvalue(), digest_of(picture))
    return found


def read_digest(png: bytes) -> str:
    """Return the digest in a picture, or "" if it has none or is no picture."""
    image: Any = import_module("PIL.Image")
    try:
        with image.open(io.BytesIO(png)) as found:
            return str(found.info.get(DIGEST, ""))
    except OSError:
        return ""


def _shrink(png: bytes, digest: str) -> bytes:
    """Return the same picture with a palette and a digest, and nothing else about its making."""
    image: Any = import_module("PIL.Image")
    chunks: Any = import_module("PIL.PngImagePlugin")
    info = chunks.PngInfo()
    info.add_text(DIGEST, digest)
    out = io.BytesIO()
    few = image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=0)
    few.save(out, format="png", optimize=True, pnginfo=info)
    return out.getvalue()


def new_figure(height: int, theme: Theme, title: str, below: str = "") -> Any:
    """Return an empty figure so many pixels high, with a title and a line below it."""
    figures: Any = import_module("matplotlib.figure")
    canvas: Any = import_module("matplotlib.backends.backend_agg").FigureCanvasAgg
    size = (WIDTH / 100, height / 100)
    figure = figures.Figure(figsize=size, dpi=100 * SCALE, facecolor=theme.page)
    canvas(figure)  # what measures the extent of texts
    place_text(figure, 14, 22, title, size=TITLE, weight="bold", color=theme.text)
    place_text(figure, 14, 43, below, size=SMALL, color=theme.faint)
    return figure


def place_text(figure: Any, x: float, y: float, text: str, **style: Any) -> Any:
    """Write at a place in pixels from the upper left corner; return the text."""
    height = figure.get_figheight() * 100
    style = {"va": "center", "parse_math": False, **style}
    return figure.text(x / WIDTH, 1 - y / height, text, **style)


def measure_text(figure: Any, text: str, size: float) -> float:
    """Return the width of a text in pixels of the README."""
    sample = figure.text(0, 0, text, size=size, parse_math=False)
    width: float = sample.get_window_extent(figure.canvas.get_renderer()).width / SCALE
    sample.remove()
    return width


def place_axes(figure: Any, box: tuple[float, float, float, float], theme: Theme) -> Any:
    """Return axes in a box of pixels: left, top, width, height."""
    left, top, wide, high = box
    height = figure.get_figheight() * 100
    place = (left / WIDTH, 1 - (top + high) / height, wide / WIDTH, high / height)
    axes = figure.add_axes(place, facecolor=theme.page)
    axes.tick_params(length=0, colors=theme.text, labelsize=SMALL, which="both")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    return axes


def set_ticks(axis: Any, ticks: Mapping[float, str], theme: Theme | None = None) -> None:
    """Put these labels at these values and no others; with a theme, also grid lines."""
    tickers: Any = import_module("matplotlib.ticker")
    axis.set_major_locator(tickers.FixedLocator(list(ticks)))
    axis.set_major_formatter(tickers.FixedFormatter(list(ticks.values())))
    axis.set_minor_locator(tickers.NullLocator())
    if theme is not None:
        axis.grid(True, color=theme.grid, lw=0.8)
