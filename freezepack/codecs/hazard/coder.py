"""The binary coder and the calibration that the adaptive codecs share.

Specification: formats/hazard.md, sections 2 and 5.
"""

from freezepack.codecs.hazard.arithmetic import CALIBRATION, RATE, clamp


class Interval:
    """The part of the number line that is left; a decision keeps one side of a split."""

    def __init__(self) -> None:
        self.low = 0
        self.high = 0xFFFFFFFF

    def split(self, p: int) -> int:
        """Return the last number of the lower side, which stands for a 1 of chance p / 65536."""
        return self.low + ((self.high - self.low) * p >> 16)

    def keep(self, mid: int, bit: int) -> None:
        """Keep the lower side for a 1, the upper one for a 0."""
        if bit:
            self.high = mid
        else:
            self.low = mid + 1

    def settled(self) -> bool:
        """Return whether the top byte can no longer change."""
        return (self.low ^ self.high) >> 24 == 0

    def shift(self) -> None:
        """Drop the top byte."""
        self.low = self.low << 8 & 0xFFFFFFFF
        self.high = self.high << 8 & 0xFFFFFFFF | 255

    def tail(self) -> bytes:
        """Return the fewest bytes that end a stream inside the interval."""
        if self.low == 0:
            return b""
        for count in (1, 2, 3):
            unit = 1 << (32 - 8 * count)
            end = -(-self.low // unit) * unit
            if end <= self.high:
                return end.to_bytes(4, "big")[:count]
        return self.low.to_bytes(4, "big")


class BitEncoder:
    """Turn decisions into bytes.

    Examples
    --------
    >>> encoder = BitEncoder()
    >>> for bit in (1, 0, 1): encoder.code(6554, bit)
    >>> encoder.finish().hex()
    '03'
    """

    def __init__(self) -> None:
        self._range = Interval()
        self._out = bytearray()

    def code(self, p: int, bit: int) -> None:
        """Append a decision that is 1 with chance p / 65536."""
        interval = self._range
        interval.keep(interval.split(p), bit)
        while interval.settled():
            self._out.append(interval.low >> 24)
            interval.shift()

    def finish(self) -> bytes:
        """Return the stream; zeros at its end are left out."""
        return bytes(self._out + self._range.tail()).rstrip(b"\0")


class BitDecoder:
    """Turn bytes back into decisions; beyond their end, bytes are zero.

    Examples
    --------
    >>> decoder = BitDecoder(bytes.fromhex("03"))
    >>> [decoder.code(6554) for _ in range(3)], decoder.is_canonical()
    ([1, 0, 1], True)
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._range = Interval()
        self._window = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self._read = 4

    def code(self, p: int) -> int:
        """Return the next decision, 1 with chance p / 65536."""
        interval = self._range
        mid = interval.split(p)
        bit = int(self._window <= mid)
        interval.keep(mid, bit)
        while interval.settled():
            interval.shift()
            after = self._data[self._read] if self._read < len(self._data) else 0
            self._window = self._window << 8 & 0xFFFFFFFF | after
            self._read += 1
        return bit

    @property
    def shifted(self) -> int:
        """Bytes that can no longer change."""
        return self._read - 4

    def is_canonical(self) -> bool:
        """Return whether an encoder of the same decisions writes exactly these bytes."""
        shifted = self._read - 4
        settled = self._data[:shifted].ljust(shifted, b"\0")
        return (settled + self._range.tail()).rstrip(b"\0") == self._data


class Calibration:
    """Correct a probability by what happened at similar ones.

    Parameters
    ----------
    count : int
        Events that the start is worth; more makes it slower to adapt.
    """

    def __init__(self, count: int = 0) -> None:
        self._value = list(CALIBRATION)
        self._count = [count] * len(CALIBRATION)
        self._last = 0

    def get(self, z: int) -> int:
        """Return the calibrated probability of a logit in 1/256 bit, and remember its place."""
        s = clamp(z + 4096, 0, 6144)
        i, f = s >> 8, s & 255
        self._last = i + (f >= 128)
        return (self._value[i] * (256 - f) + self._value[i + 1] * f) >> 8

    def update(self, bit: int) -> None:
        """Learn what happened at the place that `get` remembered."""
        j = self._last
        value, count = self._value[j], self._count[j]
        self._value[j] = clamp(value + ((65535 * bit - value) * RATE[count] >> 16), 1, 65500)
        self._count[j] = min(127, count + 1)
