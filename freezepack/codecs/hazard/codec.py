"""Index codec `hazard` as the container calls it: native where there is a kernel."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.base import IndexCodec, Unit
from freezepack.codecs.hazard import kernel, reference
from freezepack.codecs.hazard.layout import Layout
from freezepack.codecs.hazard.search import smallest
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import Positions

Base = NDArray[np.uint32]


def encode(base: Base, layout: Layout, positions: Positions, preset: int) -> bytes:
    """Return the section for one preset."""
    code = kernel.encode if kernel.encoder() else reference.encode
    return code(base, layout, positions, preset)


def decode(base: Base, layout: Layout, data: bytes) -> Positions:
    """Return the positions of a section.

    Raises
    ------
    ValueError
        If the section breaks a rule.
    """
    code = kernel.decode if kernel.decoder() else reference.decode
    return code(base, layout, data)


class Hazard(IndexCodec):
    """Positions, predicted from |base|, rows and columns.

    Examples
    --------
    >>> unit = Unit(size=16, rows=2, cols=8, kernel=1, start=0, base=lambda: np.zeros(16, "<u4"))
    >>> section = HAZARD.encode(np.array([2, 3], np.uint32), unit)
    >>> section.hex(), HAZARD.decode(memoryview(section), 2, unit).tolist()
    ('9235', [2, 3])
    """

    id = 5
    name = "hazard"
    adaptive = True
    canonical = False

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return the smallest section found, or None for an empty mask or an unknown base."""
        if unit.base is None or not positions.size:
            return None
        base = _patterns(unit.base())
        trained = np.ascontiguousarray(positions, np.uint32)
        layout = Layout(unit.rows, unit.cols, unit.kernel, trained.size)
        return smallest(partial(encode, base, layout, trained))

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the trained positions."""
        if unit.base is None:
            raise CorruptError("index", unit.offset, "this tensor has no base to predict from")
        if not 0 < count <= unit.size:
            problem = f"{count} trained positions in a unit of {unit.size}"
            raise CorruptError("index", unit.offset, problem)
        if not data:
            raise TruncatedError("index", unit.offset, "0 bytes left, expected a preset byte")
        layout = Layout(unit.rows, unit.cols, unit.kernel, count)
        try:
            return decode(_patterns(unit.base()), layout, bytes(data))
        except ValueError as error:
            raise CorruptError("index", unit.offset, str(error)) from None


def _patterns(base: Base) -> Base:
    """Return the patterns as the kernel reads them."""
    return np.ascontiguousarray(base, np.uint32)


HAZARD = Hazard()
