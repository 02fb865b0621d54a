"""Points of error and bytes that do not come from accuracy.csv: published ones and records."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freezepack.bench.report.csv_file import Parser, perhaps, read_rows, real, whole
from freezepack.bench.report.groups import Spread, spread


@dataclass(frozen=True, slots=True)
class Published:
    """A file somebody else has reported; quoted, not run.

    Attributes
    ----------
    test_error : float or None
        In percent; None if the source says none.
    size : str
        The size as the source gives it.
    """

    network: str
    data: str
    method: str
    year: int | None
    bytes: int
    test_error: float | None
    size: str
    source: str
    remark: str


@dataclass(frozen=True, slots=True)
class Record:
    """A network that was trained for its file: the seeds of one setting together.

    Attributes
    ----------
    test_error, validation_error : Spread
        In percent; the latter None where no row has it.
    seeds : int
        How many there are.
    """

    network: str
    data: str
    method: str
    setting: str
    file_bytes: Spread
    test_error: Spread
    validation_error: Spread | None
    seeds: int
    command: str
    remark: str

    @property
    def title(self) -> str:
        """Method and setting."""
        return ", ".join(filter(None, [self.method, self.setting]))


def read_published(path: Path) -> list[Published]:
    """Return the published points, none if there is no file.

    Raises
    ------
    InputError
        If the file is not such a table.
    """
    return [Published(**row) for row in read_rows(path, _PUBLISHED)] if path.exists() else []


def read_records(path: Path) -> list[Record]:
    """Return the records, none if there is no file.

    A row is a network: ``network``, ``bytes`` and ``test_error`` in percent must be there, all
    other columns may be. Rows that have network, data, method and setting in common are seeds.

    Raises
    ------
    InputError
        If the file is not such a table.
    """
    rows = read_rows(path, _RECORD, _RECORD_OPTIONAL) if path.exists() else []
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        full = {"data": "mnist", "method": "trained for its file", "setting": "", **row}
        key = tuple(full[name] for name in ("network", "data", "method", "setting"))
        found.setdefault(key, []).append(full)
    return [_record(key, some) for key, some in found.items()]


def _record(key: tuple[str, ...], rows: list[Mapping[str, Any]]) -> Record:
    checked = [row.get("validation_error") for row in rows]
    known = [error for error in checked if error is not None]
    network, data, method, setting = key
    return Record(
        network,
        data,
        method,
        setting,
        file_bytes=spread([row["bytes"] for row in rows]),
        test_error=spread([row["test_error"] for row in rows]),
        validation_error=spread(known) if len(known) == len(rows) else None,
        seeds=len(rows),
        command=rows[0].get("command", ""),
        remark=rows[0].get("remark", ""),
    )


def _percent(text: str) -> float:
    value = real(text)
    if value > 100:
        raise ValueError("a number from 0 to 100, in percent")
    return value


_TEXT = ("network", "data", "method", "size", "source", "remark")
_PUBLISHED: dict[str, Parser] = {
    **dict.fromkeys(_TEXT, str),
    "year": perhaps(whole),
    "bytes": whole,
    "test_error": perhaps(_percent),
}
_RECORD: dict[str, Parser] = {"network": str, "bytes": whole, "test_error": _percent}
_RECORD_OPTIONAL: dict[str, Parser] = {
    **dict.fromkeys(("data", "method", "setting", "command", "remark"), str),
    "validation_error": perhaps(_percent),
}
