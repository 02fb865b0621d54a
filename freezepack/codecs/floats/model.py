"""Adaptive bits and the order in which the parts of a value meet them.

Specification: formats/floats.md, section 5.
"""

from typing import Protocol

from freezepack.codecs.floats.parts import Split
from freezepack.codecs.hazard.arithmetic import clamp
from freezepack.codecs.hazard.coder import BitDecoder, BitEncoder

STEPS = 24
"""Exponents below the largest that have a model of their own."""
_EVEN = 1 << 15
_FIRST_STEPS = (6000, 20000)


class AdaptiveBit:
    """The probability of a 1, counted."""

    def __init__(self, p: int = _EVEN, count: int = 0) -> None:
        self._p = p
        self._count = count

    @property
    def p(self) -> int:
        """Probability in 1/65536."""
        return clamp(self._p, 32, 65504)

    def update(self, bit: int) -> None:
        """Learn what happened."""
        self._p += (65535 * bit - self._p) * (65536 // (self._count + 2)) >> 16
        self._count = min(253, self._count + 1)


class Side(Protocol):
    """One direction: takes the bit that an encoder knows, returns the bit that is coded."""

    def code(self, p: int, bit: int) -> int:
        """Code one decision that is 1 with chance p / 65536."""


class Writer:
    """Code what is given."""

    def __init__(self) -> None:
        self.coder = BitEncoder()

    def code(self, p: int, bit: int) -> int:
        """Code the bit and return it."""
        self.coder.code(p, bit)
        return bit


class Reader:
    """Return what was coded, whatever is given."""

    def __init__(self, data: bytes) -> None:
        self.coder = BitDecoder(data)

    def code(self, p: int, bit: int) -> int:
        """Return the next decision."""
        return self.coder.code(p)


class Model:
    """All models of a section; each method codes one part, given by an encoder."""

    def __init__(self, side: Side, split: Split, top: int) -> None:
        self._side = side
        self._split = split
        self._top = top
        self._equal = AdaptiveBit()
        self._sign = AdaptiveBit()
        first = [AdaptiveBit(p, 2) for p in _FIRST_STEPS]
        self._steps = first + [AdaptiveBit(_EVEN, 2) for _ in range(STEPS - 2)]
        self._fraction = [AdaptiveBit(_EVEN, 4) for _ in range(8)]

    def _code(self, model: AdaptiveBit, bit: int) -> int:
        bit = self._side.code(model.p, bit)
        model.update(bit)
        return bit

    def _code_plain(self, value: int, width: int) -> int:
        """Code the low `width` bits of a number, highest first, without a model."""
        result = 0
        for place in reversed(range(width)):
            result = result << 1 | self._side.code(_EVEN, value >> place & 1)
        return result

    def equal(self, bit: int) -> int:
        """Code whether a value is equal to its base."""
        return self._code(self._equal, bit)

    def sign(self, bit: int) -> int:
        """Code a sign."""
        return self._code(self._sign, bit)

    def exponent(self, exponent: int, base: int) -> int:
        """Code an exponent, counting down from the largest.

        Raises
        ------
        ValueError
            If what is decoded is no exponent of a value with this base.
        """
        floor, ceiling = self._split.floor(base), self._split.ceiling(base)
        if self._top < floor:
            raise ValueError(f"an exponent of {floor} or more, expected at most {self._top}")
        exponent = self._count_down(exponent, floor)
        if not floor <= exponent <= ceiling:
            raise ValueError(f"an exponent of {exponent}, expected {floor} to {ceiling}")
        return exponent

    def _count_down(self, exponent: int, floor: int) -> int:
        for step, model in zip(range(self._top - floor), self._steps):  # noqa: B905
            if self._code(model, int(exponent == self._top - step)):
                return self._top - step
        room = max(0, self._top - floor - STEPS)
        below = self._code_plain(self._top - STEPS - exponent, room.bit_length())
        return self._top - min(STEPS, self._top - floor) - below

    def tail(self, high: int, exponent: int, base: int) -> int:
        """Code the bits of the fraction that are not raw; the first has a model."""
        width = self._split.tail(exponent, base)
        if not width:
            return 0
        model = self._fraction[min(self._top - exponent, 7)]
        leading = self._code(model, high >> (width - 1) & 1)
        return leading << (width - 1) | self._code_plain(high, width - 1)
