"""The codec in plain Python and NumPy: the yardstick, and what does without a compiler."""

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.probit.layout import Layout, Preset
from freezepack.codecs.probit.model import measure_levels
from freezepack.codecs.probit.walk import Reader, Walk, Writer
from freezepack.types import Positions

Base = NDArray[np.uint32]
"""float32 patterns of a unit's base."""


def encode(base: Base, layout: Layout, positions: Positions, preset: bytes) -> bytes:
    """Return the section: the two preset bytes and the stream.

    Examples
    --------
    >>> positions = np.array([2, 3], np.uint32)
    >>> preset = bytes.fromhex("a0a0")
    >>> encode(np.zeros(16, np.uint32), Layout(2, 8, 1, 2), positions, preset).hex()
    'a0a038'
    """
    writer = Writer(positions.tolist())
    Walk(writer, measure_levels(base), layout, Preset.of(preset)).run()
    return preset + writer.coder.finish()


def decode(base: Base, layout: Layout, data: bytes) -> Positions:
    """Return the positions of a section of at least two bytes.

    Raises
    ------
    ValueError
        If the stream does not hold `layout.trained` positions, or not in its shortest form.

    Examples
    --------
    >>> decode(np.zeros(16, np.uint32), Layout(2, 8, 1, 2), bytes.fromhex("a0a038")).tolist()
    [2, 3]
    """
    reader = Reader(data[2:])
    if not Walk(reader, measure_levels(base), layout, Preset.of(data[:2])).run():
        found = len(reader.positions)
        raise ValueError(f"the stream holds {found} positions, expected {layout.trained}")
    if not reader.coder.is_canonical():
        raise ValueError("the stream is not as its encoder ends it")
    return np.array(reader.positions, np.uint32)
