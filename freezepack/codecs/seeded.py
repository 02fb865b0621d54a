"""Index codec `seeded`: a mask drawn from a seed; formats/codecs.md, section 5."""

import numpy as np

from freezepack.codecs.base import IndexCodec, Unit
from freezepack.errors import CorruptError
from freezepack.types import Positions

MASK_STREAMS = 1 << 63
"""Added to the stream of a tensor: where the words of its mask come from."""


class Seeded(IndexCodec):
    """The positions with the smallest words of the tensor's mask stream: no bytes.

    Equal words are taken in order of position. The words are those at the unit's own elements, so
    a unit is decoded without the others.
    """

    id = 4
    name = "seeded"
    needs_seed = True

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return 0."""
        return 0

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return no bytes, or None if the seed gives another mask."""
        if unit.key is None:
            return None
        drawn = _draw(unit.key, positions.size, unit)
        return b"" if np.array_equal(drawn, positions) else None

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the mask that the seed gives."""
        if data:
            raise CorruptError("index", unit.offset, f"{len(data)} bytes, expected none")
        if unit.key is None:
            raise CorruptError("index", unit.offset, "a mask from a seed, and no seed")
        if not 0 <= count <= unit.size:
            problem = f"{count} trained positions in a unit of {unit.size}"
            raise CorruptError("index", unit.offset, problem)
        return _draw(unit.key, count, unit)


def _draw(key: int, count: int, unit: Unit) -> Positions:
    from freezepack.random.seeded import smallest_words

    stream = unit.stream + MASK_STREAMS
    return smallest_words(key, stream, unit.start, unit.size, count).astype(np.uint32, copy=False)


SEEDED = Seeded()
