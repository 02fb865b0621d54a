"""Index codec `probit` as the container calls it: native where there is a kernel."""

from functools import partial

import numpy as np

from freezepack.codecs.base import Unit
from freezepack.codecs.hazard.predicted import Base, Predicted, read_base
from freezepack.codecs.probit import kernel, reference
from freezepack.codecs.probit.layout import Layout
from freezepack.codecs.probit.search import smallest
from freezepack.types import Positions

LARGEST = 1 << 19
"""Most positions of a unit for which the encoder tries this codec: it decides each of them."""


def encode(base: Base, layout: Layout, positions: Positions, preset: bytes) -> bytes:
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
    if layout.fixed_width and data[1] & 3:
        raise ValueError("the preset names a width, expected 0: the kernel is the width")
    code = kernel.decode if kernel.decoder() else reference.decode
    return code(base, layout, data)


class Probit(Predicted):
    """Positions, each decided from |base| and what its row, column and kernel showed before.

    Examples
    --------
    >>> unit = Unit(size=16, rows=2, cols=8, kernel=1, start=0, base=lambda: np.zeros(16, "<u4"))
    >>> section = PROBIT.encode(np.array([2, 3], np.uint32), unit)
    >>> section.hex(), PROBIT.decode(memoryview(section), 2, unit).tolist()
    ('a0a038', [2, 3])
    """

    id = 9
    name = "probit"
    preset_length = 2

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return the smallest section found, or None if the unit is large or has no base."""
        if unit.base is None or not positions.size or unit.size > LARGEST:
            return None
        base = read_base(unit.base())
        trained = np.ascontiguousarray(positions, np.uint32)
        layout = Layout(unit.rows, unit.cols, unit.kernel, trained.size)
        return smallest(partial(encode, base, layout, trained), layout)

    def decode_section(self, base: Base, data: bytes, count: int, unit: Unit) -> Positions:
        """Return the trained positions."""
        return decode(base, Layout(unit.rows, unit.cols, unit.kernel, count), data)


PROBIT = Probit()
