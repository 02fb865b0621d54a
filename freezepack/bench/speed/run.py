"""`freezepack bench speed`: check what was asked for, then measure it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from freezepack import native
from freezepack.bench.machine import describe_machine
from freezepack.bench.speed import paths as ways
from freezepack.bench.speed.cases import (
    PEER,
    PEER_DRAWS,
    SIZES,
    FillCase,
    Wanted,
    check_names,
    choose_cases,
)
from freezepack.bench.speed.results import PARTS, Rows, SpeedResult, list_outputs
from freezepack.bench.speed.turns import Pace
from freezepack.errors import FreezepackError, MissingExtraError
from freezepack.files import check_output

NEED_TORCH = ("load", "decoding")
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SpeedRun:
    """What to measure, and where results go; see `freezepack bench speed --help`.

    Attributes
    ----------
    parts : tuple of str
        Names in `PARTS`; empty for those that the other choices are about.
    wanted : Wanted
        Paths, draws, element types, sizes and threads.
    rounds : int or None
        How often everything is timed; None to go by time.
    scratch : Path or None
        Folder for the files that are loaded.
    output : Path or None
        Folder for results; None to write none.
    plot : bool or None
        Whether to draw pictures; None if matplotlib is there.
    """

    parts: tuple[str, ...] = ()
    wanted: Wanted = field(default_factory=Wanted)
    rounds: int | None = None
    scratch: Path | None = None
    output: Path | None = None
    plot: bool | None = None
    force: bool = False

    @property
    def draws_pictures(self) -> bool:
        """Whether pictures are written."""
        return self.plot or (self.plot is None and find_spec("matplotlib") is not None)

    def pace(self, short: float, full: float, least: int = 3) -> Pace:
        """Return how often jobs are timed that may take so many seconds."""
        if self.rounds is not None:
            return Pace(most=self.rounds, least=self.rounds)
        return Pace(least=least, seconds=full if self.wanted.full else short)


def run_speed(run: SpeedRun, report: Report) -> SpeedResult:
    """Measure; nothing is written, but the folder for results is made.

    Raises
    ------
    UnknownNameError, OutputExistsError, MissingExtraError, FreezepackError
        If something is asked for that is not known or not possible here.
    """
    parts = check_run(run, report)
    rows: dict[str, Rows] = {}
    for part in parts:
        rows[part] = MEASURES[part](run, report)
    about = {"command": f"freezepack {' '.join(sys.argv[1:])}", **describe_machine()}
    return SpeedResult(about, rows)


def check_run(run: SpeedRun, report: Report) -> list[str]:
    """Return the parts to measure; raise for what could not be done or written afterwards.

    Raises
    ------
    OutputExistsError
        If a result exists and may not be replaced.
    MissingExtraError
        If pictures are asked for and matplotlib is not installed.
    UnknownNameError, FreezepackError
        If a fill is not known or none is left, or files to load cannot be written.
    """
    parts = choose_parts(run, report)
    if "generator" in parts:
        find_cases(run, ways.list_paths())
    if "load" in parts:
        import_module("freezepack.bench.speed.loads").check_loads(_load_sizes(run), run.scratch)
    if run.plot and find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "bench", "freezepack bench speed --plot")
    if run.output is not None:
        for name in list_outputs(parts, run.draws_pictures):
            check_output(run.output / name, force=run.force)
        run.output.mkdir(parents=True, exist_ok=True)
        if run.plot is None and not run.draws_pictures:
            report("matplotlib is not installed: no pictures")
    return parts


def choose_parts(run: SpeedRun, report: Report) -> list[str]:
    """Return the parts to measure, after checking that they can be."""
    check_names("part", run.parts, PARTS)
    wanted = run.wanted
    about_fills = wanted.paths or wanted.draws or wanted.dtypes
    parts = run.parts or (("generator",) if about_fills else tuple(PARTS))
    if find_spec("torch") is None:
        if any(part in NEED_TORCH for part in run.parts):
            raise MissingExtraError("torch", "torch", f"--part {' or '.join(NEED_TORCH)}")
        report("torch is not installed: only our own generator and starting are measured")
        parts = tuple(part for part in parts if part not in NEED_TORCH)
    return list(dict.fromkeys(parts))


def find_cases(run: SpeedRun, paths: Mapping[str, ways.Path]) -> list[FillCase]:
    """Return the fills to measure.

    Raises
    ------
    UnknownNameError
        If a path, draw or element type is not known.
    FreezepackError
        If what was named leaves none.
    """
    slow = {name: path.is_slow for name, path in paths.items()}
    cases = choose_cases(run.wanted, slow, native.get_num_threads())
    if find_spec("torch") is None and PEER not in run.wanted.paths:
        cases = [case for case in cases if case.path != PEER]
    if not cases:
        draws = " and ".join(PEER_DRAWS)
        raise FreezepackError(f"{PEER} generator has only {draws}: name another --path or --draw")
    return cases


def _generator(run: SpeedRun, report: Report) -> Rows:
    fills = import_module("freezepack.bench.speed.fills")
    paths = ways.list_paths()
    cases = find_cases(run, paths)
    rows: Rows = fills.measure_fills(cases, paths, run.pace(0.4, 1.0), report)
    return rows


def _load_sizes(run: SpeedRun) -> Sequence[int]:
    return run.wanted.sizes or SIZES[1:]


def _load(run: SpeedRun, report: Report) -> Rows:
    loads = import_module("freezepack.bench.speed.loads")
    cores = native.get_num_threads()
    rows: Rows = loads.measure_loads(
        _load_sizes(run),
        run.wanted.threads or (sorted({1, cores}) if run.wanted.full else (cores,)),
        run.pace(1.0, 6.0, least=5),
        report,
        scratch=run.scratch,
        small=run.wanted.full,
    )
    return rows


def _decoding(run: SpeedRun, report: Report) -> Rows:
    decoding = import_module("freezepack.bench.speed.decoding")
    sizes = run.wanted.sizes or SIZES[: 2 if run.wanted.full else 1]
    pace = run.pace(0.2, 0.5)
    return [row for size in sizes for row in decoding.measure_decoding(size, report, pace)]


def _startup(run: SpeedRun, report: Report) -> Rows:
    startup = import_module("freezepack.bench.speed.startup")
    report("starting Python, the package and the command line")
    rows: Rows = startup.measure_startup(run.pace(1.5, 4.0, least=5))
    return rows


MEASURES: dict[str, Callable[[SpeedRun, Report], Rows]] = {
    "generator": _generator,
    "load": _load,
    "decoding": _decoding,
    "startup": _startup,
}
