"""What the container keeps under the number of the codec; formats/joint.md."""

from freezepack.codecs.base import IndexCodec, Unit
from freezepack.errors import CorruptError
from freezepack.types import Positions


class Joint(IndexCodec):
    """What the container keeps under the number 15; it calls `encode_joint` and `decode_joint`."""

    id = 15
    name = "joint"
    adaptive = True
    canonical = False
    shared = True

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return None: positions alone cannot be coded so."""
        return None

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Refuse: a stream of this codec holds values too."""
        raise CorruptError("index", unit.offset, "an index alone in the codec joint")


JOINT = Joint()
