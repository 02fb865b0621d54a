"""`freezepack bench size`: run what was asked for and write the tables."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from freezepack.bench.files import file_tables, measure_file
from freezepack.bench.machine import describe_machine
from freezepack.bench.mask_tables import mask_rows, mask_tables
from freezepack.bench.masks import snip_masks
from freezepack.bench.rates import measure_rates, rate_table
from freezepack.bench.suite import find_cases, measure_masks
from freezepack.bench.tables import Table, to_csv, to_markdown
from freezepack.files import check_output, write_output

RATE_CASES = ("lenet5-caffe", "resnet-18")
"""Networks on whose masks decoding is timed, with the first seed."""


@dataclass(frozen=True, slots=True)
class SizeRun:
    """What to measure, and where the tables go; see `freezepack bench size --help`."""

    models: tuple[Path, ...]
    labels: tuple[str, ...]
    rates: tuple[str, ...]
    seeds: tuple[int, ...]
    masks: bool
    cache: Path
    data_dir: Path | None
    output: Path
    force: bool


def run_size(run: SizeRun, report: Callable[[str], None]) -> list[Path]:
    """Measure and write; return the paths written.

    Raises
    ------
    OutputExistsError
        If a table exists and may not be replaced; nothing is measured then.
    VerificationError
        If a coder does not return what it was given.
    """
    stems = ["size-masks", "size-decoding"] if run.masks else []
    stems += ["size-files"] if run.models else []
    for stem in stems:
        for suffix in (".csv", ".md"):
            check_output(run.output / f"{stem}{suffix}", force=run.force)
    written: list[Path] = []
    if run.masks:
        cases = find_cases(run.labels)
        results = measure_masks(
            cases, run.rates, run.seeds, data_dir=run.data_dir, cache=run.cache, report=report
        )
        heading = "Index sizes on SNIP masks"
        written += _write(run, "size-masks", heading, mask_rows(results), mask_tables(results))
        report("decoding")
        timed = [case for case in cases if case.label in RATE_CASES]
        masks = [
            mask
            for case in timed
            for mask in snip_masks(case, run.seeds[0], run.rates, run.data_dir, run.cache).values()
        ]
        table = rate_table(measure_rates(masks))
        written += _write(run, "size-decoding", "Decoding rates of index codecs", table, [table])
    if run.models:
        files = [measure_file(path, report) for path in run.models]
        heading = "Sizes of whole files"
        tables = file_tables(files)
        written += _write(run, "size-files", heading, tables[0], tables[1:])
    return written


def _write(
    run: SizeRun, stem: str, heading: str, rows: Table, pages: Sequence[Table]
) -> list[Path]:
    """Write one result as CSV and as Markdown."""
    about = {"command": f"freezepack {' '.join(sys.argv[1:])}", **describe_machine()}
    if run.masks:
        about["seeds"] = ", ".join(map(str, run.seeds))
    run.output.mkdir(parents=True, exist_ok=True)
    csv, page = run.output / f"{stem}.csv", run.output / f"{stem}.md"
    write_output(csv, [to_csv(rows).encode()], force=run.force)
    write_output(page, [to_markdown(pages, heading, about).encode()], force=run.force)
    return [csv, page]
