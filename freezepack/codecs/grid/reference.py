"""The codec in plain Python: the yardstick, and what does without a compiler."""

import numpy as np

from freezepack.codecs.floats.model import Reader, Writer
from freezepack.codecs.grid.model import Model
from freezepack.codecs.grid.step import Integers


def encode(q: Integers) -> bytes:
    """Return the section of integers below 2**25 in magnitude.

    Examples
    --------
    >>> encode(np.array([0, 3, -1])).hex()
    '11'
    """
    writer = Writer()
    model = Model(writer)
    for value in q.tolist():
        model.code(value)
    return writer.coder.finish()


def decode(data: bytes, count: int) -> Integers:
    """Return the `count` integers of a section.

    Raises
    ------
    ValueError
        If the section is not as its encoder ends it.

    Examples
    --------
    >>> decode(bytes.fromhex("11"), 3).tolist()
    [0, 3, -1]
    """
    reader = Reader(data)
    model = Model(reader)
    q = [model.code(0) for _ in range(count)]
    if not reader.coder.is_canonical():
        raise ValueError("the stream is not as its encoder ends it")
    return np.array(q, np.int64)
