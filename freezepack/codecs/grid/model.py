"""How likely an integer is, and the decisions it is coded by; formats/grid.md, section 4.

Integers are taken as logistic, with the mean magnitude of those before. Each kind of decision has
a calibration, so that what is not logistic is learned.
"""

from freezepack.codecs.floats.model import Side
from freezepack.codecs.hazard.arithmetic import clamp, squash, stretch
from freezepack.codecs.hazard.coder import Calibration

BUCKETS = 24
"""Bucket j holds magnitudes 2**j to 2**(j+1) - 1; the last has number 24."""
_EVENTS = 30
_FINE = 32


class Model:
    """Codes integers below 2**25 in magnitude, one after the other."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._sum = 1024
        self._count = 1
        self._negative = 16
        self._signs = 32
        self._zero = Calibration(_EVENTS)
        self._bucket = [Calibration(_EVENTS) for _ in range(8)]
        self._scale = 0

    def code(self, q: int) -> int:
        """Code one integer, given by an encoder, and return it."""
        self._scale = self._sum // self._count + 32
        magnitude = abs(q)
        beyond = self._beyond(1)
        if self._decide(self._zero, 65536 - (beyond >> 5), int(magnitude == 0)):
            magnitude = 0
        else:
            magnitude = self._code_magnitude(magnitude, beyond)
            q = -magnitude if self._code_sign(int(q < 0)) else magnitude
        self._sum += 256 * magnitude
        self._count += 1
        return q if magnitude else 0

    def _code_magnitude(self, magnitude: int, beyond: int) -> int:
        low = 1
        for bucket in range(BUCKETS):
            further = self._beyond(2 * low)
            p = 65536 - (further << 16) // beyond
            if self._decide(self._bucket[min(bucket, 7)], p, int(magnitude < 2 * low)):
                break
            low, beyond = 2 * low, further
        return self._code_place(magnitude, low)

    def _code_place(self, magnitude: int, low: int) -> int:
        """Code which of the magnitudes `low` to 2 * `low` - 1 it is, by halves."""
        size = low
        while size > 1:
            size //= 2
            middle = low + size
            if not self._side.code(
                self._lower(low, middle, middle + size), int(magnitude < middle)
            ):
                low = middle
        return low

    def _lower(self, low: int, middle: int, high: int) -> int:
        """Return the chance that a magnitude from `low` to `high` - 1 is below `middle`."""
        if self._logit(high) - self._logit(low) < _FINE:
            return 32768
        first, last = self._beyond(low), self._beyond(high)
        return clamp(((first - self._beyond(middle)) << 16) // (first - last), 32, 65504)

    def _code_sign(self, negative: int) -> int:
        negative = self._side.code((self._negative << 16) // self._signs, negative)
        self._negative += negative
        self._signs += 1
        return negative

    def _decide(self, calibration: Calibration, p: int, bit: int) -> int:
        p = calibration.get(stretch(clamp(p, 32, 65504)))
        bit = self._side.code(clamp(p, 1, 65534), bit)
        calibration.update(bit)
        return bit

    def _logit(self, magnitude: int) -> int:
        return min(4095, (2 * magnitude - 1 << 16) // self._scale)

    def _beyond(self, magnitude: int) -> int:
        """Return half the chance, in 2**-22, of this magnitude or more."""
        return squash(-self._logit(magnitude))
