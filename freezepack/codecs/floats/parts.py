"""A floating-point pattern as sign, exponent and fraction, by itself or as a distance.

Specification: formats/floats.md, sections 2 and 3. Patterns are plain ints.
"""

from dataclasses import dataclass

from freezepack.types import DType


@dataclass(frozen=True, slots=True)
class Kind:
    """Bits of an element and of its stored fraction."""

    width: int
    fraction: int

    @property
    def exponent_bits(self) -> int:
        """Bits of the stored exponent."""
        return self.width - 1 - self.fraction

    def magnitude(self, pattern: int) -> int:
        """Return the pattern without its sign bit."""
        return pattern & ((1 << (self.width - 1)) - 1)

    def sign(self, pattern: int) -> int:
        """Return the sign bit."""
        return pattern >> (self.width - 1)

    def exponent(self, pattern: int) -> int:
        """Return the stored exponent."""
        return self.magnitude(pattern) >> self.fraction

    def rank(self, pattern: int) -> int:
        """Return the place of a pattern among all, -0.0 being -1.

        Examples
        --------
        >>> [FLOAT32.rank(p) for p in (0x80000001, 0x80000000, 0, 1)]
        [-2, -1, 0, 1]
        """
        return ~self.magnitude(pattern) if self.sign(pattern) else pattern

    def pattern(self, rank: int) -> int:
        """Return the pattern at a place."""
        return rank if rank >= 0 else ~rank | 1 << (self.width - 1)


FLOAT32 = Kind(32, 23)
KINDS = {
    DType.float32: FLOAT32,
    DType.float16: Kind(16, 10),
    DType.bfloat16: Kind(16, 7),
    DType.float64: Kind(64, 52),
}


@dataclass(frozen=True, slots=True)
class Split:
    """How the magnitudes of a section are cut.

    Attributes
    ----------
    kind : Kind
        The element type.
    near : bool
        Code the distance from the base, not the value itself.
    shift : int
        Low bits that are zero in every value, and left out; 0 if `near`.
    raw : int
        Bits above them that are stored as they are.
    """

    kind: Kind
    near: bool
    shift: int
    raw: int

    def take(self, value: int, base: int) -> tuple[int, int]:
        """Return the sign, relative to the base's, and the magnitude of a value."""
        kind = self.kind
        if not self.near:
            return kind.sign(value) ^ kind.sign(base), kind.magnitude(value)
        distance = kind.rank(value) - kind.rank(base)
        return int(distance < 0) ^ kind.sign(base), abs(distance)

    def join(self, sign: int, magnitude: int, base: int) -> int | None:
        """Return the value again, or None if there is none."""
        kind = self.kind
        sign ^= kind.sign(base)
        if not self.near:
            return sign << (kind.width - 1) | magnitude
        rank = kind.rank(base) + (-magnitude if sign else magnitude)
        limit = 1 << (kind.width - 1)
        return kind.pattern(rank) if -limit <= rank < limit else None

    def floor(self, base: int) -> int:
        """Return the least exponent that a value with this base can have."""
        return self.kind.exponent(base) if self.near else 0

    def ceiling(self, base: int) -> int:
        """Return an exponent that no value with this base exceeds."""
        if self.near:
            return self.floor(base) + self.kind.width - self.raw
        return (1 << self.kind.exponent_bits) - 1

    def exponent(self, high: int, base: int) -> int:
        """Return the exponent of a magnitude of which the low bits are cut off."""
        if self.near:
            return high.bit_length() + self.kind.exponent(base)
        return high >> self.tail(0, base)

    def tail(self, exponent: int, base: int) -> int:
        """Return how many bits of the fraction the exponent leaves to be coded."""
        if self.near:
            return max(0, exponent - self.kind.exponent(base) - 1)
        return self.kind.fraction - self.shift - self.raw

    def high(self, exponent: int, tail: int, base: int) -> int:
        """Return the magnitude without low bits, from its exponent and the bits of its tail."""
        if self.near and exponent == self.kind.exponent(base):
            return 0
        leading = 1 if self.near else exponent
        return leading << self.tail(exponent, base) | tail
