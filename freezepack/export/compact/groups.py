"""Tensors that one chain of nodes makes, because they are drawn alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from freezepack.export.compact.plan import Key, Part
from freezepack.types import Draw, DType


@dataclass(frozen=True, eq=False)
class Group:
    """Tensors made by one chain of nodes: side by side in one vector, padded to whole blocks."""

    draw: Draw
    once: int
    """Tail of a truncated normal draw, pattern of a constant; what all tensors share."""
    dtype: DType
    parts: tuple[Part, ...]

    @property
    def block(self) -> int:
        """Elements that one block of the generator serves."""
        return {Draw.constant: 1, Draw.sign: 128}.get(self.draw, 4)

    @property
    def has_grid(self) -> bool:
        """Whether trained values count from the integers of the base."""
        return any(part.coded.kind == "grid" for part in self.parts)

    @cached_property
    def padded(self) -> list[int]:
        """Elements of each tensor, raised to whole blocks."""
        return [-(-part.spec.size // self.block) * self.block for part in self.parts]

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """Trained positions in the whole vector."""
        starts = np.cumsum([0, *self.padded])
        shifted = [part.positions + start for part, start in zip(self.parts, starts, strict=False)]
        return np.concatenate(shifted)


def make_groups(parts: Sequence[Part], most: int | None = None) -> list[Group]:
    """Group tensors; within a group by how their values are stored, grids first.

    Drawn groups come first, so that one call of the generator can serve them.

    Parameters
    ----------
    most : int, optional
        Elements after which a group is full.
    """
    keys: dict[Key, list[list[Part]]] = {}
    for part in sorted(parts, key=lambda part: part.coded.order):
        runs = keys.setdefault(part.key, [[]])
        if most and runs[-1] and sum(p.spec.size for p in [*runs[-1], part]) > most:
            runs.append([])
        runs[-1].append(part)
    groups = [
        Group(draw, once, dtype, tuple(run))
        for (draw, once, dtype, _), runs in keys.items()
        for run in runs
    ]
    return sorted(groups, key=lambda group: group.draw == Draw.constant)
