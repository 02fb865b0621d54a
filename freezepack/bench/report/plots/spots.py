"""The points of a picture of error against bytes: what is drawn, and as what."""

from collections.abc import Sequence
from dataclasses import dataclass

from freezepack.bench.report.distortion import Distortion, Point, frontier, is_lossless
from freezepack.bench.report.groups import ENOUGH

MOST_ERROR, MOST_TIMES, MOST_SHARE = 20.0, 4.0, 0.25
"""Largest error in percent or in errors of the dense network, and largest share of its bytes."""
Spot = tuple[str, float, float, float]
"""Name, bytes, error in percent and its standard deviation."""


@dataclass(frozen=True, slots=True)
class Spots:
    """What each of our lines has, and what others report.

    Attributes
    ----------
    frozen, pruned : tuple of Spot
        Lossless packs along the freezing rates.
    frozen_apart, pruned_apart : tuple of Spot
        Lossless packs of networks trained by another recipe.
    gridded : tuple of Spot
        FreezeNets with values on a grid: those no other one beats.
    cloud : tuple of Spot
        All other gridded packs.
    records, published : tuple of Spot
        Networks trained for their file; what others report.
    dense : float or None
        Test error in percent.
    limits : (float, float)
        Largest error in percent and largest file.
    left_out : int
        Files of ours beyond the limits.
    has_few : bool
        Whether some points of ours are of few seeds.
    """

    title: str
    slug: str
    frozen: tuple[Spot, ...]
    pruned: tuple[Spot, ...]
    frozen_apart: tuple[Spot, ...]
    pruned_apart: tuple[Spot, ...]
    gridded: tuple[Spot, ...]
    cloud: tuple[Spot, ...]
    records: tuple[Spot, ...]
    published: tuple[Spot, ...]
    dense: float | None
    limits: tuple[float, float]
    left_out: int
    has_few: bool


def choose_spots(found: Distortion) -> Spots | None:
    """Return the points of a network; None with fewer than two files of ours."""
    points = [p for p in found.points if p.rate > 0]
    dense = round(found.dense.error.mean, 4) if found.dense else None
    rebuilt = max((p.group.runs[0].rebuilt_bytes for p in points), default=0)
    limits = (max(MOST_ERROR, MOST_TIMES * (dense or 0.0)), MOST_SHARE * rebuilt)
    shown = [p for p in points if p.test_error.mean <= limits[0] and p.file_bytes.mean <= limits[1]]
    if len(shown) + len(found.records) < 2:
        return None
    grids = [p for p in shown if not is_lossless(p)]
    ours = [p for p in grids if p.fill == "seed"]
    best = frontier([(p.file_bytes.mean, p.test_error.mean) for p in ours])
    line = [p for number, p in enumerate(ours) if number in best]
    rest = [p for p in grids if p not in line]
    records = [
        (r.title, r.file_bytes.mean, r.test_error.mean, r.test_error.sd) for r in found.records
    ]
    quoted = [
        (p.method, float(p.bytes), p.test_error, 0.0)
        for p in found.published
        if p.test_error is not None
    ]
    return Spots(
        found.title,
        found.slug,
        _spots([p for p in shown if is_lossless(p) and p.plain and p.fill == "seed"]),
        _spots([p for p in shown if is_lossless(p) and p.plain and p.fill == "zeros"]),
        _spots([p for p in shown if is_lossless(p) and not p.plain and p.fill == "seed"]),
        _spots([p for p in shown if is_lossless(p) and not p.plain and p.fill == "zeros"]),
        _spots(line),
        _spots(rest),
        _rounded(records),
        tuple(quoted),
        dense,
        limits,
        len(points) - len(shown),
        any(p.test_error.n < ENOUGH for p in shown),
    )


def _spots(points: Sequence[Point]) -> tuple[Spot, ...]:
    """Return points named by their rates."""
    return _rounded(
        [(_name(p), p.file_bytes.mean, p.test_error.mean, p.test_error.sd) for p in points]
    )


def _name(point: Point) -> str:
    epochs = point.group.setup.epochs
    return f"q = {point.rate:g}" + (f", {epochs} epochs" if not point.plain else "")


def _rounded(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Return points by size; digits that no picture shows must not make another picture."""
    rounded = [(name, round(x), round(y, 4), round(sd, 4)) for name, x, y, sd in spots]
    return tuple(sorted(rounded, key=lambda spot: spot[1]))
