"""Results as tables for people, one for each comparison."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from freezepack.bench.speed.cases import FILL
from freezepack.bench.tables import Cell, Table

Row = Mapping[str, Any]
FILL_NOTE = (
    "Medians of wall-clock time into memory that was touched before; bytes are those of the "
    "output, for memcpy too. Each run follows a memcpy of as many bytes in as many threads, and "
    "`/ memcpy` is the median of the ratios of such pairs. `/ torch` compares with torch's own "
    "`normal_` or `uniform_` of the same element type in the same rounds, `/ fill` with the fill "
    "alone. `fill, patch, digest` replaces 1 % of the elements and sums the digest in one pass."
)
LOAD_NOTE = (
    "Medians of milliseconds until all weights are torch tensors in fresh memory of their own, as "
    "in a program that loads once; freezing rate 0.99, as many threads as said. `/ pack` is the "
    "median of the ratios to the pack with the fast index, round by round. *Cold*: the file was "
    "put out of the page cache. *Checked*: a changed byte of the content does not load in silence."
)
DECODING_NOTE = (
    "One thread, processor time, second of two runs in a row; the base is made beforehand. Of "
    "values, `raw` only points into the file."
)


def generator_tables(rows: Sequence[Row]) -> list[Table]:
    """Return a table for each size and number of threads."""
    columns = ["path", "draw", "type", "work", "GB/s", "G elements/s"]
    columns += ["/ memcpy", "/ torch", "/ fill"]
    tables = []
    for (size, threads), group in groupby(rows, lambda row: (row["elements"], row["threads"])):
        chosen = list(group)
        title = f"{count_of(size, 'element')}, {count_of(threads, 'thread')}"
        tables.append(Table(title, columns, [_fill_row(row) for row in chosen]))
    return _noted(tables, FILL_NOTE)


def _fill_row(row: Row) -> list[Cell]:
    ratios = [show_ratio(row[key]) for key in ("memcpy_ratio", "torch_ratio", "fill_ratio")]
    speeds = [row["gb_per_s"], row["elements_per_s"] / 1e9]
    work = "fill" if row["work"] == FILL else "with patch and digest"
    return [row["path"], row["draw"], row["dtype"], work, *speeds, *ratios]


def load_tables(rows: Sequence[Row]) -> list[Table]:
    """Return a table for each size and number of threads."""
    columns = ["file", "cache", "file bytes", "ms", "least ms", "GB/s", "/ pack", "checked"]
    tables = []
    for (size, threads), group in groupby(rows, lambda row: (row["weights"], row["threads"])):
        cells = [_load_row(row) for row in group]
        title = f"{count_of(size, 'weight')}, {count_of(threads, 'thread')}"
        tables.append(Table(title, columns, cells))
    return _noted(tables, LOAD_NOTE)


def _load_row(row: Row) -> list[Cell]:
    times = [round(1e3 * row[key], 2) for key in ("seconds", "least_seconds")]
    checked = {True: "yes", False: "no", None: "-"}[row["checked"]]
    nbytes = _cell(row["file_bytes"])
    speed = round(row["gb_per_s"], 2)
    return [row["file"], row["cache"], nbytes, *times, speed, row["times_pack"], checked]


def decoding_tables(rows: Sequence[Row]) -> list[Table]:
    """Return a table for indices and one for values of each size."""
    columns = ["codec", "freezing rate", "trained", "ms", "M weights/s", "M trained/s"]
    titles = {"index": "Indices", "values": "Values"}
    tables = []
    for (part, weights), group in groupby(
        sorted(rows, key=lambda row: (row["weights"], row["part"])),
        lambda row: (row["part"], row["weights"]),
    ):
        cells: list[list[Cell]] = [
            [row["codec"], row["freezing_rate"], row["trained"], f"{1e3 * row['seconds']:.3f}"]
            + [show(row[key] / 1e6) for key in ("weights_per_s", "trained_per_s")]
            for row in group
        ]
        title = f"{titles[part]} of {count_of(weights, 'weight')}"
        tables.append(Table(title, columns, cells))
    return _noted(tables, DECODING_NOTE)


def startup_tables(rows: Sequence[Row]) -> list[Table]:
    """Return one table."""
    cells: list[list[Cell]] = [
        [row["command"], round(1e3 * row["seconds"]), round(1e3 * row["seconds_beyond_python"])]
        for row in rows
    ]
    note = "Medians of milliseconds, each in a fresh process; the files are in the page cache."
    return [Table("Starting", ["command", "ms", "beyond an empty Python"], cells, [note])]


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> count_of(1, "thread"), count_of(2, "thread")
    ('1 thread', '2 threads')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def show(value: float) -> str:
    """Return a number with two or three significant digits.

    Examples
    --------
    >>> [show(x) for x in (0.0456, 0.5, 4.26, 42.9, 1234.5)]
    ['0.05', '0.50', '4.3', '43', '1,234']
    """
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def show_ratio(value: float | None) -> str:
    """Return a ratio with two digits or more.

    Examples
    --------
    >>> show_ratio(0.4219), show_ratio(0.0191), show_ratio(None)
    ('0.42', '0.019', '-')
    """
    if value is None:
        return "-"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _noted(tables: list[Table], note: str) -> list[Table]:
    """Put a note below the last table."""
    if not tables:
        return []
    last = tables[-1]
    return [*tables[:-1], Table(last.title, last.columns, last.rows, [note])]


def _cell(value: Cell | None) -> Cell:
    return "-" if value is None else value
