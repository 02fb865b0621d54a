"""The tables of index sizes: every result for programs, means over seeds for people."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from freezepack.bench.cases import Case
from freezepack.bench.peers import PEERS
from freezepack.bench.suite import PACKED, Result, installed_peers
from freezepack.bench.tables import Cell, Table

GOAL_RATE = 0.995
ABOUT = (
    "**Bold** is ours. A codec's line has its sections alone, with the seeded base or, as said, "
    f"with a base of zeros (the pruned twin). `{PACKED}` is what a file spends: for each tensor "
    "the smallest codec, counts and lengths included; `sections` is the same without those. Peers "
    "know the sizes of the tensors. In "
    "parentheses: the smallest and the largest of the seeds. Every coder had to return the mask."
)
QUOTED = (
    "DeepCABAC is quoted, not run: on a SNIP mask of lenet5-caffe from another data set, nncodec "
    "2.1.3 took 2,215, 3,079 and 11,576 bytes for 2,755, 4,305 and 21,525 trained weights, that "
    "is 110, 99 and 86 % of the per-tensor entropy of that mask."
)
Key = tuple[str, str, str]
"""Kind, coder and base."""


def mask_rows(results: Sequence[Result]) -> Table:
    """Return every single result, for programs."""
    columns = ["network", "freezing_rate", "seed", "weights", "trained", "kind", "coder", "base"]
    columns += ["bytes", "header_bytes", "bits_per_trained"]
    return Table("masks", columns, [_row(result) for result in results])


def _row(r: Result) -> list[Cell]:
    mask: list[Cell] = [r.case.label, r.rate, r.seed, r.weights, r.trained]
    return [*mask, r.kind, r.coder, r.base, round(r.size), r.header, round(r.bits, 4)]


def mask_tables(results: Sequence[Result]) -> list[Table]:
    """Return tables for people, means over seeds: the goals, then two for each rate."""
    tables = [_goal_table([r for r in results if float(r.rate) == GOAL_RATE])]
    for rate in dict.fromkeys(r.rate for r in results):
        some = [r for r in results if r.rate == rate]
        cases = list(dict.fromkeys(r.case for r in some))
        tables.append(_bits_table(rate, some, cases))
        tables.append(_bytes_table(rate, some, cases))
    return [table for table in tables if table.rows]


def _goal_table(results: Sequence[Result]) -> Table:
    columns = ["network", "goal", "sections", PACKED]
    columns += ["per-tensor entropy", "smallest peer", "seeds"]
    rows: list[list[Cell]] = []
    for case in dict.fromkeys(r.case for r in results):
        some = [r for r in results if r.case == case]

        def mean(kind: str, coder: str, some: Sequence[Result] = some) -> float:
            named = (kind, coder)
            return fmean(r.bits for r in some if (r.kind, r.coder) == named and r.base != "zeros")

        peers = {r.coder: mean("peer", r.coder) for r in some if r.kind == "peer"}
        best = min(peers, key=peers.__getitem__, default="none")
        files = [r for r in some if r.coder == PACKED and r.base != "zeros"]
        sections = fmean(8 * r.size / r.trained for r in files)
        ours = [sections, mean("file", PACKED), mean("bound", "per tensor")]
        seeds = ", ".join(str(seed) for seed in sorted({r.seed for r in some}))
        rows.append([case.label, case.goal, *ours, f"{best} {peers.get(best, 0.0):.2f}", seeds])
    title = f"Bits per trained weight at a freezing rate of {GOAL_RATE}, mean of seeds"
    missing = [name for name in PEERS if name not in installed_peers()]
    left = [f"Left out, not installed: {', '.join(missing)}."] if missing else []
    return Table(title, columns, rows, [ABOUT, QUOTED, *left])


def _by_key(results: Iterable[Result]) -> dict[Key, dict[Case, list[Result]]]:
    """Group results by coder, then by network; what the base does not change stands once."""
    groups: dict[Key, dict[Case, list[Result]]] = {}
    for r in results:
        groups.setdefault((r.kind, r.coder, r.base), {}).setdefault(r.case, []).append(r)
    return {
        key: found
        for key, found in groups.items()
        if key[2] != "zeros" or not _same(found, groups[key[0], key[1], "seed"])
    }


def _same(one: Mapping[Case, list[Result]], other: Mapping[Case, list[Result]]) -> bool:
    return all(
        [r.size for r in found] == [r.size for r in other.get(case, [])]
        for case, found in one.items()
    )


def _name(key: Key) -> str:
    kind, coder, base = key
    shown = {"bound": f"entropy, {coder}", "peer": coder}.get(kind, f"**{coder}**")
    return f"{shown}, zeros" if base == "zeros" else shown


def _bits_table(rate: str, results: Sequence[Result], cases: Sequence[Case]) -> Table:
    columns = ["coder", *(case.label for case in cases)]
    rows: list[list[Cell]] = []
    for key, groups in _by_key(results).items():
        cells = [groups.get(case, []) for case in cases]
        rows.append([_name(key), *(_spread([r.bits for r in found]) for found in cells)])
    return Table(f"Freezing rate {rate}: bits per trained weight", columns, rows)


def _bytes_table(rate: str, results: Sequence[Result], cases: Sequence[Case]) -> Table:
    columns = ["coder", *(case.label for case in cases)]
    trained = [next(r.trained for r in results if r.case == case) for case in cases]
    rows: list[list[Cell]] = [["trained weights", *trained]]
    for key, groups in _by_key(results).items():
        found = [[r.bits * r.trained / 8 for r in groups.get(case, [])] for case in cases]
        rows.append([_name(key), *(round(fmean(sizes)) if sizes else "-" for sizes in found)])
    return Table(f"Freezing rate {rate}: bytes, mean of seeds", columns, rows)


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    if f"{min(values):.2f}" == f"{max(values):.2f}":
        return f"{values[0]:.2f}"
    return f"{fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})"
