"""Results of `freezepack bench speed` as pages, JSON and pictures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from freezepack.bench.tables import Table, to_markdown
from freezepack.files import write_output

SCHEMA = 1
"""Changes when a key of the JSON changes its meaning or goes."""
PARTS = {
    "generator": "Speed of the generator",
    "load": "Time of loading whole files",
    "decoding": "Decoding rates",
    "startup": "Time of starting",
}
"""Names of parts and headings of their pages."""
DRAWN = ("generator", "load")
"""Parts that have pictures."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SpeedResult:
    """Rows of each part that was measured, and where they come from."""

    about: dict[str, str]
    rows: dict[str, Rows]

    def to_json(self, *parts: str) -> str:
        """Return the rows of some parts, by default of all."""
        chosen = {part: self.rows[part] for part in parts or self.rows}
        return json.dumps({"schema": SCHEMA, "about": self.about, **chosen}, indent=2) + "\n"

    def tables(self, part: str) -> list[Table]:
        """Return the rows of one part for people."""
        report = import_module("freezepack.bench.speed.report")
        tables: list[Table] = getattr(report, f"{part}_tables")(self.rows[part])
        return tables


def list_outputs(parts: Sequence[str], pictures: bool) -> list[str]:
    """Return the names of the files that results of these parts are written to.

    Examples
    --------
    >>> list_outputs(["startup"], pictures=True)
    ['speed-startup.md', 'speed-startup.json']
    """
    names = [f"speed-{part}{suffix}" for part in parts for suffix in (".md", ".json")]
    drawn = [part for part in parts if part in DRAWN and pictures]
    return names + [f"speed-{part}-{theme}.png" for part in drawn for theme in ("light", "dark")]


def write_results(result: SpeedResult, folder: Path, *, pictures: bool, force: bool) -> list[Path]:
    """Write a page, JSON and pictures of each part; return the paths.

    Raises
    ------
    OutputExistsError
        If one of them exists and may not be replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {}
    for part in result.rows:
        page = to_markdown(result.tables(part), PARTS[part], result.about)
        files[f"speed-{part}.md"] = page.encode()
        files[f"speed-{part}.json"] = result.to_json(part).encode()
    if pictures:
        plots = import_module("freezepack.bench.speed.plots")
        files |= plots.draw_pictures(result.rows)
    for name, data in files.items():
        write_output(folder / name, [data], force=force)
    return [folder / name for name in files]
