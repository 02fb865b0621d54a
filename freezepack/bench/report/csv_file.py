"""Reading a CSV of results: every cell is checked, and an error names file, line and column."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from freezepack.errors import InputError

Parser = Callable[[str], Any]


def read_rows(
    path: Path, columns: Mapping[str, Parser], optional: Mapping[str, Parser] | None = None
) -> list[dict[str, Any]]:
    """Return the rows of a CSV with a head, in order; columns without a parser are left out.

    Parameters
    ----------
    path : path
        A file in UTF-8.
    columns : mapping of str to function
        What turns the text of a cell into its value, or raises a ValueError that says what was
        expected. These columns must be there.
    optional : mapping of str to function
        Columns that may be missing; their key is then missing from the rows.

    Raises
    ------
    InputError
        If the file cannot be read, has no head, lacks a column, or has a cell that is none.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            head = reader.fieldnames or ()
            missing = [name for name in columns if name not in head]
            if missing:
                raise InputError(f"{path}: no column {', '.join(missing)}; run the benchmark anew")
            wanted = {**columns, **(optional or {})}
            known = {name: parse for name, parse in wanted.items() if name in head}
            return [_parse(path, reader.line_num, row, known) for row in reader]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not CSV in UTF-8: {error}") from None


def _parse(
    path: Path, line: int, row: Mapping[str, str | None], columns: Mapping[str, Parser]
) -> dict[str, Any]:
    if "" in row or None in row.values():
        problem = "more" if "" in row else "fewer"
        raise InputError(f"{path}, line {line}: {problem} cells than the head has columns")
    values = {}
    for name, parse in columns.items():
        text = row[name] or ""
        try:
            values[name] = parse(text)
        except ValueError as error:
            place = f"{path}, line {line}, {name}"
            raise InputError(f"{place}: found {text!r}, expected {error}") from None
    return values


def whole(text: str) -> int:
    """Return a count.

    Examples
    --------
    >>> whole("12")
    12
    """
    if not (text.isascii() and text.isdecimal()):
        raise ValueError("a whole number of at least 0")
    return int(text)


def share(text: str) -> float:
    """Return a number from 0 to 1.

    Examples
    --------
    >>> share("0.995")
    0.995
    """
    value = real(text)
    if not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1")
    return value


def real(text: str) -> float:
    """Return a number of at least 0 that is not infinite.

    Examples
    --------
    >>> real("1e3")
    1000.0
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError("a number of at least 0")
    return value


def perhaps(parse: Parser) -> Parser:
    """Return a parser for which an empty cell is None.

    Examples
    --------
    >>> perhaps(whole)(""), perhaps(whole)("7")
    (None, 7)
    """

    def parse_or_none(text: str) -> Any:
        return parse(text) if text else None

    return parse_or_none
