"""A page as a list of blocks, and its Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from freezepack.bench.report.plots.style import Picture, files_of
from freezepack.bench.tables import Table, show_cell


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; the page's own has level 1."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, light and dark."""

    picture: Picture


_NUMBER = re.compile(r"[-+±%†(),.\d ]*")
Block = str | Heading | Figure | Table
"""A text is a paragraph of Markdown."""


def to_markdown(blocks: Sequence[Block]) -> str:
    """Return the page.

    Examples
    --------
    >>> print(to_markdown([Heading(1, "Sizes"), "All of them.", Table("", ["a"], [[1000]])]))
    # Sizes
    <BLANKLINE>
    All of them.
    <BLANKLINE>
    | a |
    | :-- |
    | 1,000 |
    <BLANKLINE>
    """
    return "\n".join(line for block in blocks for line in [*_lines(block), ""])


def _lines(block: Block) -> list[str]:
    if isinstance(block, str):
        return [block]
    if isinstance(block, Heading):
        return [f"{'#' * block.level} {block.text}"]
    if isinstance(block, Table):
        return _table(block)
    light, dark = files_of(block.picture)
    alt = block.picture.alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return [
        "<picture>",
        f'  <source media="(prefers-color-scheme: dark)" srcset="{dark}">',
        f'  <img src="{light}" width="800" alt="{alt}">',
        "</picture>",
    ]


def _table(table: Table) -> list[str]:
    rows = [[show_cell(cell).replace("|", "\\|") for cell in row] for row in table.rows]
    lines = [f"### {table.title}", ""] if table.title else []
    lines += [_row(table.columns), _row(_aligned(rows, len(table.columns)))]
    lines += [_row(row) for row in rows]
    for note in table.notes:
        lines += ["", note]
    return lines


def _aligned(rows: Sequence[Sequence[str]], count: int) -> list[str]:
    """Return the marks that put columns of numbers to the right, of texts to the left.

    Examples
    --------
    >>> _aligned([["a", "1.5 ± 0.2 %", "1: `x`"], ["b", "-", "-"]], 3)
    [':--', '--:', ':--']
    """
    numbers = [all(_NUMBER.fullmatch(row[i]) for row in rows) for i in range(count)]
    return ["--:" if is_number and i else ":--" for i, is_number in enumerate(numbers)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
