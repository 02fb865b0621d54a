"""The coder in plain Python: the yardstick, and what does without a compiler."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.joint.matrix import Matrix
from freezepack.codecs.joint.model import HALF, Gauge, Reader, Side, Writer
from freezepack.codecs.joint.shapes import Depths, Layout
from freezepack.codecs.joint.vector import code_vector

Levels = NDArray[np.int32]
_LINKED = 61440
_CHOICES = ((True, False), (True, True), (False, False), (False, True))


def encode(
    layouts: Sequence[Layout], levels: Sequence[Levels], bases: Sequence[Depths | None]
) -> bytes:
    """Return the stream of integers below 2**23 in magnitude.

    Examples
    --------
    >>> from freezepack.codecs.joint.shapes import lay_out
    >>> encode(lay_out([(3,)]), [np.array([0, -2, 1], np.int32)], [None]).hex()
    '5228'
    """
    writer = Writer()
    Run(writer, layouts, [part.tolist() for part in levels], bases).run()
    return writer.coder.finish()


def decode(data: bytes, layouts: Sequence[Layout], bases: Sequence[Depths | None]) -> list[Levels]:
    """Return the integers of a stream.

    Raises
    ------
    ValueError
        If the stream is not as its encoder ends it.

    Examples
    --------
    >>> from freezepack.codecs.joint.shapes import lay_out
    >>> decode(bytes.fromhex("5228"), lay_out([(3,)]), [None])[0].tolist()
    [0, -2, 1]
    """
    reader = Reader(data)
    run = Run(reader, layouts, [[0] * layout.size for layout in layouts], bases)
    run.run()
    if not reader.coder.is_canonical():
        raise ValueError("the stream is not as its encoder ends it")
    return [np.array(part, np.int32) for part in run.levels]


class Run:
    """Tensors one after the other: matrices, then vectors."""

    def __init__(
        self,
        side: Side,
        layouts: Sequence[Layout],
        levels: list[list[int]],
        bases: Sequence[Depths | None],
    ) -> None:
        self._side = side
        self._layouts = layouts
        self.levels = levels
        self.depths = [None if base is None else base.tolist() for base in bases]
        self.matrices: dict[int, Matrix] = {}

    def run(self) -> None:
        """Code all tensors."""
        for i, layout in enumerate(self._layouts):
            if layout.matrix:
                self._code_matrix(i)
        for i, layout in enumerate(self._layouts):
            if not layout.matrix:
                code_vector(self._side, self.levels[i], self.counts_of(layout.other))

    def counts_of(self, i: int) -> list[int] | None:
        """Return the trained positions of each row of matrix i; None for -1."""
        return self.matrices[i].counts if i >= 0 else None

    def _code_matrix(self, i: int) -> None:
        linked, turned = self._choose(i)
        if self._layouts[i].other >= 0:
            linked = bool(self._side.code(_LINKED, int(linked)))
        turned = bool(self._side.code(HALF, int(turned)))
        self.matrices[i] = self._walk(self._side, i, linked, turned)

    def _walk(self, side: Side, i: int, linked: bool, turned: bool) -> Matrix:
        layout = self._layouts[i]
        grid = layout.linked if linked else layout.free
        before = self.counts_of(layout.other) if linked else None
        matrix = Matrix(side, grid, self.levels[i], self.depths[i], before)
        matrix.run(turned)
        return matrix

    def _choose(self, i: int) -> tuple[bool, bool]:
        """Return the first of the cheapest choices; a reader finds its own in the stream."""
        has_other = self._layouts[i].other >= 0
        if self._side.reads:
            return has_other, False

        def price(choice: tuple[bool, bool]) -> int:
            gauge = Gauge()
            if has_other:
                gauge.code(_LINKED, int(choice[0]))
            self._walk(gauge, i, *choice)
            return gauge.cost

        return min(_CHOICES if has_other else _CHOICES[2:], key=price)
