"""Index codecs `none` and `all`: nothing or everything is trained; formats/codecs.md, section 2."""

import numpy as np

from freezepack.codecs.base import IndexCodec, Unit
from freezepack.errors import CorruptError
from freezepack.types import Positions


class Ends(IndexCodec):
    """The mask that is the same everywhere: no bytes.

    Examples
    --------
    >>> from freezepack.codecs.base import vector_unit
    >>> ALL.decode(memoryview(b""), 3, vector_unit(3)).tolist()
    [0, 1, 2]
    """

    def __init__(self, number: int, name: str, trained: bool) -> None:
        self.id = number
        self.name = name
        self.needs_seed = False
        self._trained = trained

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return 0."""
        return 0

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return no bytes, or None if the mask is another one."""
        return b"" if positions.size == self._count(unit) else None

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return no position, or all of them."""
        if data:
            raise CorruptError("index", unit.offset, f"{len(data)} bytes, expected none")
        if count != self._count(unit):
            problem = f"{count} trained, expected {self._count(unit)} of {unit.size}"
            raise CorruptError("index", unit.offset, problem)
        return np.arange(count, dtype=np.uint32)

    def _count(self, unit: Unit) -> int:
        return unit.size if self._trained else 0


NONE = Ends(0, "none", trained=False)
ALL = Ends(1, "all", trained=True)
