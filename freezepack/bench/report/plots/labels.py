"""Labels of points that keep out of each other's way, with lines to those that moved far."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in pixels."""
Boxes = NDArray[np.float64]
"""One in each row."""
Spot = tuple[float, float]
NEAR, STEPS, ROUNDS = 7.0, (1.0, 2.0, 3.5, 5.0, 7.0), 4
"""Points between a spot and its text, how many times as far it may move, tries for each."""
FAR = 1.5 * NEAR
_OUTSIDE, _AWAY = 100.0, 1.5
"""Costs of a pixel outside the frame and of one of distance; a covered pixel costs 1."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a spot: both in the coordinates of the axes, and how it is written."""

    x: float
    y: float
    text: str
    colour: str
    line: str


def write_labels(axes: Any, labels: Sequence[Label], obstacles: Sequence[Box], size: float) -> None:
    """Write each text where it covers least of obstacles and of the other texts."""
    renderer = axes.figure.canvas.get_renderer()
    scale = renderer.points_to_pixels(1.0)
    box = axes.get_window_extent(renderer)
    spots = [_pair(axes.transData.transform((label.x, label.y))) for label in labels]
    sizes = []
    for label in labels:
        sample = axes.annotate(label.text, (label.x, label.y), size=size, parse_math=False)
        extent = sample.get_window_extent(renderer)
        sizes.append((extent.width, extent.height))
        sample.remove()
    frame = (box.x0, box.y0, box.x1 + 30 * scale, box.y1)
    offsets = place_labels(spots, sizes, frame, obstacles, scale)
    for label, offset, (wide, high) in zip(labels, offsets, sizes, strict=True):
        middle = ((offset[0] + wide / 2) / scale, (offset[1] + high / 2) / scale)
        leader = {"arrowstyle": "-", "color": label.line, "lw": 0.7, "shrinkA": 1, "shrinkB": 4}
        arrow = {"arrowprops": leader} if _distance(offset, (wide, high)) > FAR * scale else {}
        place = {"textcoords": "offset points", "ha": "center", "va": "center"}
        style = {"size": size, "color": label.colour, "parse_math": False}
        axes.annotate(label.text, (label.x, label.y), middle, **place, **arrow, **style)


def place_labels(
    spots: Sequence[Spot],
    sizes: Sequence[Spot],
    frame: Box,
    obstacles: Sequence[Box],
    scale: float = 1.0,
) -> list[Spot]:
    """Return where the lower left corner of each text goes, from its spot.

    Parameters
    ----------
    spots, sizes : sequence of (float, float)
        Places to be labelled; width and height of the texts.
    frame : box
        Where texts may be.
    obstacles : sequence of boxes
        What should stay visible; the spots always are.
    scale : float
        Pixels in a point.

    Notes
    -----
    Each text takes the cheapest of a hundred places, given where the others are, a few times in
    turn and in several orders: not the best there is, but always the same.

    Examples
    --------
    >>> place_labels([(50.0, 50.0)], [(20.0, 8.0)], (0.0, 0.0, 100.0, 100.0), [])
    [(-10.0, 7.0)]
    """
    fixed = np.array([*obstacles, *(_around(spot, NEAR / 2 * scale) for spot in spots)])
    labels = list(zip(spots, sizes, strict=True))
    ways = [_ways(size, scale) for size in sizes]
    boxes = [
        [_boxes(label, way, scale) for way in some]
        for label, some in zip(labels, ways, strict=True)
    ]
    costs = [
        [_cost(label, way, box, frame, fixed) for way, box in zip(some, tried, strict=True)]
        for label, some, tried in zip(labels, ways, boxes, strict=True)
    ]
    found = min(
        (_settle(order, boxes, costs) for order in _orders(spots)), key=lambda settled: settled[0]
    )[1]
    return [ways[number][found[number]] for number in range(len(labels))]


def _orders(spots: Sequence[Spot]) -> list[list[int]]:
    """Return orders in which labels take their places."""
    given = list(range(len(spots)))
    across = sorted(given, key=lambda number: spots[number])
    up = sorted(given, key=lambda number: spots[number][1])
    return [order[::way] for order in (given, across, up) for way in (1, -1)]


def _settle(
    order: Sequence[int], boxes: Sequence[Sequence[Boxes]], costs: Sequence[Sequence[float]]
) -> tuple[float, dict[int, int]]:
    """Let each label take the cheapest place in turn; return what all cost, and their places."""
    found: dict[int, int] = {}
    total = 0.0
    for _ in range(ROUNDS):
        total = 0.0
        for number in order:
            others = [boxes[other][way] for other, way in found.items() if other != number]
            taken = np.concatenate(others) if others else np.empty((0, 4))
            pairs = zip(costs[number], boxes[number], strict=True)
            totals = [cost + _overlap(box, taken) for cost, box in pairs]
            found[number] = totals.index(min(totals))
            total += min(totals)
    return total, found


def _ways(size: Spot, scale: float) -> list[Spot]:
    """Return the places that are tried: above and below, right and left, near and far."""
    wide, high = size
    ways = []
    for step in STEPS:
        gap = NEAR * step * scale
        for part in (0.5, 0.0, 1.0, 0.25, 0.75, -0.25, 1.25):
            ways += [(-part * wide, gap), (-part * wide, -gap - high)]
        for up in (-0.5, 0.3, -1.3, 1.5, -2.5):
            ways += [(gap, up * high), (-gap - wide, up * high)]
    return ways


def _cost(label: tuple[Spot, Spot], offset: Spot, boxes: Boxes, frame: Box, fixed: Boxes) -> float:
    """Return what a place costs, whatever the other texts do."""
    text = boxes[:1]
    area = float((text[0, 2] - text[0, 0]) * (text[0, 3] - text[0, 1]))
    outside = area - _overlap(text, np.array([frame]))
    away = _distance(offset, label[1])
    return _overlap(boxes, fixed) + _OUTSIDE * outside + _AWAY * away


def _boxes(label: tuple[Spot, Spot], offset: Spot, scale: float) -> Boxes:
    """Return the box of a text, and boxes along the line to it if it has one."""
    spot, size = label
    left, low = spot[0] + offset[0], spot[1] + offset[1]
    boxes = [(left - 6, low - 2, left + size[0] + 6, low + size[1] + 2)]
    if _distance(offset, size) > FAR * scale:
        across, up = offset[0] + size[0] / 2, offset[1] + size[1] / 2
        parts = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
        boxes += [_around((spot[0] + p * across, spot[1] + p * up), 3) for p in parts]
    return np.array(boxes)


def _distance(offset: Spot, size: Spot) -> float:
    """Return how far the nearest edge of a text is from its spot."""
    across = max(abs(offset[0] + size[0] / 2) - size[0] / 2, 0.0)
    return max(across, abs(offset[1] + size[1] / 2) - size[1] / 2)


def boxes_along(places: Iterable[Any], *, joined: bool) -> list[Box]:
    """Return boxes around places in pixels, and along the lines between them."""
    spots = [_pair(place) for place in places]
    boxes = [_around(spot, 6) for spot in spots]
    if joined:
        for (x, y), (right, top) in pairwise(spots):
            parts = [part / 20 for part in range(21)]
            boxes += [_around((x + p * (right - x), y + p * (top - y)), 3) for p in parts]
    return boxes


def _pair(place: Any) -> Spot:
    return float(place[0]), float(place[1])


def _around(spot: Spot, reach: float) -> Box:
    return spot[0] - reach, spot[1] - reach, spot[0] + reach, spot[1] + reach


def _overlap(some: Boxes, others: Boxes) -> float:
    """Return the area that boxes share with other boxes, each pair counted."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    return float(np.prod(np.clip(high - low, 0.0, None), axis=2).sum())
