"""Decisions whose probabilities learn, in both directions: formats/header.md, section 2.

The same calls read and write. A writer passes what it wants to code; a reader passes None and gets
what was coded. So there is one model, and the two cannot disagree.
"""

from collections.abc import Hashable, Mapping, Sequence

from freezepack.codecs.hazard.coder import BitDecoder, BitEncoder
from freezepack.errors import CorruptError

EVEN = (16, 16)
"""Counts of ones and zeros at the start, where neither is more likely."""
GAIN = 32
"""What one decision adds to its count."""
MOST_COUNTS = 4096
HALF = 1 << 15
Counts = Mapping[Hashable, Sequence[int]]
NOTHING: Counts = {}


class Decisions:
    """Codes decisions, each with the counts of its context.

    Parameters
    ----------
    stream : bytes or None
        What to read; None to write.
    counts : mapping of context to (ones, zeros)
        What was learned before.

    Attributes
    ----------
    counts : dict of context to [ones, zeros]
        What is known of each context that was used.
    """

    def __init__(self, stream: bytes | None = None, counts: Counts = NOTHING) -> None:
        self.counts = {context: [*numbers] for context, numbers in counts.items()}
        self._encoder = BitEncoder()
        self._decoder = None if stream is None else BitDecoder(stream)

    @property
    def reads(self) -> bool:
        """Whether this reads a stream."""
        return self._decoder is not None

    def bit(
        self,
        context: Hashable,
        bit: int | None,
        start: tuple[int, int] = EVEN,
        gain: int = GAIN,
    ) -> int:
        """Code a decision and learn from it; `start` are the first counts of its context."""
        counts = self.counts.get(context)
        if counts is None:
            counts = self.counts[context] = list(start)
        total = counts[0] + counts[1]
        bit = self._code((counts[0] << 16) // total, bit)
        counts[1 - bit] += gain
        if total + gain > MOST_COUNTS:
            counts[:] = ((count + 1) >> 1 for count in counts)
        return bit

    def raw(self, count: int, value: int | None) -> int:
        """Code a number of `count` bits, highest first, whose bits are all equally likely."""
        found = 0
        for place in reversed(range(count)):
            found = 2 * found + self._code(HALF, None if value is None else value >> place & 1)
        return found

    def finish(self) -> bytes:
        """Return the stream that was written."""
        return self._encoder.finish()

    @property
    def consumed(self) -> int:
        """Bytes of the stream that are settled."""
        return 0 if self._decoder is None else self._decoder.shifted

    def check_end(self, start: int) -> None:
        """Raise CorruptError unless the stream ends as an encoder of these decisions ends it."""
        if self._decoder is not None and not self._decoder.is_canonical():
            raise CorruptError("header", start, "the coded header does not end with its last field")

    def _code(self, p: int, bit: int | None) -> int:
        if self._decoder is not None:
            return self._decoder.code(p)
        if bit is None:
            raise ValueError("nothing to write")
        self._encoder.code(p, bit)
        return bit
