"""Tables of results: CSV for programs, Markdown for people, both with where they come from."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from freezepack.errors import OutputExistsError

Cell = str | int | float


@dataclass(frozen=True, slots=True)
class Table:
    """A title, columns, rows, and notes that stand below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = field(default_factory=tuple)


def to_csv(table: Table) -> str:
    r"""Return the rows as CSV.

    Examples
    --------
    >>> to_csv(Table("sizes", ["name", "bytes"], [["a", 1]]))
    'name,bytes\na,1\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return out.getvalue()


def to_markdown(tables: Sequence[Table], heading: str, about: Mapping[str, str]) -> str:
    """Return a page: heading, where it comes from, and the tables.

    Examples
    --------
    >>> print(to_markdown([Table("sizes", ["name", "bytes"], [["a", 1000]])], "Sizes", {}))
    # Sizes
    <BLANKLINE>
    ## sizes
    <BLANKLINE>
    | name | bytes |
    | :-- | --: |
    | a | 1,000 |
    <BLANKLINE>
    """
    lines = [f"# {heading}", ""]
    lines += [f"- {key}: {value}" for key, value in about.items()]
    lines += [""] if about else []
    for table in tables:
        lines += [f"## {table.title}", "", _line(table.columns)]
        lines += [_line([":--", *["--:"] * (len(table.columns) - 1)])]
        lines += [_line([show_cell(cell) for cell in row]) for row in table.rows]
        lines += [""] + [f"{note}\n" for note in table.notes]
    return "\n".join(lines)


def check_outputs(paths: Sequence[Path], force: bool) -> None:
    """Raise OutputExistsError if one of the paths exists and may not be replaced."""
    for path in paths:
        if path.exists() and not force:
            raise OutputExistsError(f"{path} exists: give --force to replace it, or another -o")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def show_cell(cell: Cell) -> str:
    """Return a cell for people.

    Examples
    --------
    >>> show_cell(1234567), show_cell(0.5), show_cell("a")
    ('1,234,567', '0.50', 'a')
    """
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.2f}" if isinstance(cell, float) else cell
