"""The codec in plain Python and NumPy: the yardstick, and what does without a compiler."""

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.hazard.layout import Layout, Preset
from freezepack.codecs.hazard.rates import rank_levels
from freezepack.codecs.hazard.walk import Reader, Walk, Writer
from freezepack.types import Positions

Base = NDArray[np.uint32]
"""float32 patterns of a unit's base."""


def _levels(base: Base, layout: Layout) -> NDArray[np.uint8]:
    return rank_levels(base).reshape(layout.rows, layout.columns)


def encode(base: Base, layout: Layout, positions: Positions, preset: int) -> bytes:
    """Return the section: the preset byte and the stream.

    Examples
    --------
    >>> positions = np.array([2, 3], np.uint32)
    >>> encode(np.zeros(16, np.uint32), Layout(2, 8, 1, 2), positions, preset=146).hex()
    '9235'
    """
    writer = Writer(positions.tolist())
    Walk(writer, _levels(base, layout), layout, Preset.of(preset)).run()
    return bytes([preset]) + writer.coder.finish()


def decode(base: Base, layout: Layout, data: bytes) -> Positions:
    """Return the positions of a section of at least one byte.

    Raises
    ------
    ValueError
        If the stream does not hold `layout.trained` positions, or not in its shortest form.

    Examples
    --------
    >>> decode(np.zeros(16, np.uint32), Layout(2, 8, 1, 2), bytes.fromhex("9235")).tolist()
    [2, 3]
    """
    reader = Reader(data[1:])
    if not Walk(reader, _levels(base, layout), layout, Preset.of(data[0])).run():
        found = len(reader.positions)
        raise ValueError(f"the stream holds {found} positions, expected {layout.trained}")
    if not reader.coder.is_canonical():
        raise ValueError("the stream is not as its encoder ends it")
    return np.array(reader.positions, np.uint32)
