"""Index codec `hazard` as the container calls it: native where there is a kernel."""

from functools import partial

import numpy as np

from freezepack.codecs.base import Unit
from freezepack.codecs.hazard import kernel, reference
from freezepack.codecs.hazard.layout import Layout
from freezepack.codecs.hazard.predicted import Base, Predicted, read_base
from freezepack.codecs.hazard.search import smallest
from freezepack.types import Positions


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


class Hazard(Predicted):
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
    preset_length = 1

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return the smallest section found, or None for an empty mask or an unknown base."""
        if unit.base is None or not positions.size:
            return None
        base = read_base(unit.base())
        trained = np.ascontiguousarray(positions, np.uint32)
        layout = Layout(unit.rows, unit.cols, unit.kernel, trained.size)
        return smallest(partial(encode, base, layout, trained))

    def decode_section(self, base: Base, data: bytes, count: int, unit: Unit) -> Positions:
        """Return the trained positions."""
        return decode(base, Layout(unit.rows, unit.cols, unit.kernel, count), data)


HAZARD = Hazard()
