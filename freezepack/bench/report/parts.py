"""Where the bytes of files are: header, index and values, beside other programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import fmean

from freezepack.bench.report.arrange import Study
from freezepack.bench.report.compare import link_runs
from freezepack.bench.report.csv_file import Parser, perhaps, read_rows, whole
from freezepack.bench.report.groups import Group
from freezepack.bench.report.show import NONE, show_count
from freezepack.bench.report.sources import describe_sources
from freezepack.bench.tables import Cell, Table


@dataclass(frozen=True, slots=True)
class FileSize:
    """One way to store a model.

    Attributes
    ----------
    index, values : int or None
        Bytes of these parts; None for files that are not ours.
    """

    model: str
    file: str
    lossy: bool
    bytes: int
    index: int | None
    values: int | None

    @property
    def header(self) -> int | None:
        """What is neither index nor values."""
        if self.index is None or self.values is None:
            return None
        return self.bytes - self.index - self.values


def read_sizes(path: Path) -> list[FileSize]:
    """Return the files of size-files.csv, none if it is not there.

    Raises
    ------
    InputError
        If the file is not such a table.
    """
    columns: dict[str, Parser] = {
        "model": str,
        "file": str,
        "lossy": lambda text: text == "yes",
        "bytes": whole,
        "index": perhaps(whole),
        "values": perhaps(whole),
    }
    return [FileSize(**row) for row in read_rows(path, columns)] if path.exists() else []


def by_model(sizes: Sequence[FileSize]) -> dict[str, list[FileSize]]:
    """Return the files by a short name of their model, the smallest first.

    Examples
    --------
    >>> list(by_model([FileSize("runs/a-q0.9/model.pt", "pack", False, 10, 2, 3)]))
    ['a-q0.9']
    """
    found: dict[str, list[FileSize]] = {}
    for size in sizes:
        path = PurePosixPath(size.model)
        name = path.stem if path.stem != "model" else path.parent.name
        found.setdefault(name, []).append(size)
    return {name: sorted(some, key=lambda size: size.bytes) for name, some in found.items()}


def sizes_table(name: str, sizes: Sequence[FileSize]) -> Table:
    """Return one model in all ways it was stored."""
    rows: list[list[Cell]] = [
        [
            f"**{size.file}**" if size.index is not None else size.file,
            "lossy" if size.lossy else "lossless",
            *(NONE if part is None else part for part in (size.header, size.index, size.values)),
            size.bytes,
        ]
        for size in sizes
    ]
    columns = ["file", "trained values", "header", "index", "values", "bytes"]
    note = (
        "**Bold** is ours. From [size-files](size-files.md), which names command, versions and "
        "all parts; index sizes of every codec and peer are in [size-masks](size-masks.md)."
    )
    return Table(f"Ways to store {name}", columns, rows, (note,))


def parts_table(study: Study) -> Table:
    """Return header, index and values of the packs of a sweep, FreezeNet and twin."""
    rows: list[list[Cell]] = []
    for pair in study.sweep:
        cells: list[Cell] = [pair.setup.freezing_rate]
        for group in (pair.frozen, pair.pruned):
            cells += _parts(group)
        counts = dict.fromkeys(show_count(len(group.runs)) for group in pair.groups)
        rows.append([*cells, ", ".join(counts), link_runs(pair.groups)])
    parts = ("header", "index", "values", "index bits per trained weight")
    columns = ["freezing rate", *(f"FreezeNet: {part}" for part in parts)]
    columns += [*(f"twin: {part}" for part in parts), "n", "runs"]
    groups = [group for pair in study.sweep for group in pair.groups]
    title = f"Bytes by part, lossless: {study.title}"
    sources = describe_sources(groups)
    return Table(title, columns, rows, sources[1:])


def _parts(group: Group | None) -> list[Cell]:
    if group is None:
        return [NONE] * 4
    names = ("header_bytes", "index_bytes", "value_bytes")
    sizes: list[Cell] = [round(fmean(getattr(run, name) for run in group.runs)) for name in names]
    bits = fmean(8 * run.index_bytes / max(run.trained_weights, 1) for run in group.runs)
    return [*sizes, f"{bits:.2f}"]
