"""Numbers, choices and guesses, made of decisions: formats/header.md, section 3."""

from collections.abc import Hashable, Iterable

from freezepack.errors import CorruptError
from freezepack.format.coded.decisions import EVEN, GAIN, NOTHING, Counts, Decisions

LONGEST = 64
"""Most bits behind the first 1 of a number and 1."""
LEARNED = 3
"""Numbers with at most this many bits behind the first 1 are learned whole."""
LIKELY = (24, 8)
"""Counts of a decision that is 1 in three cases of four."""


class Numbers(Decisions):
    """Codes numbers; a number that a reader finds may be anything, so fields check their limits.

    Attributes
    ----------
    field, start : str, int
        The field that is coded, and where the header begins, for errors.
    """

    def __init__(
        self, stream: bytes | None = None, start: int = 0, counts: Counts = NOTHING
    ) -> None:
        super().__init__(stream, counts)
        self.field = ""
        self.start = start

    def choice(self, context: Hashable, count: int, value: int | None, gain: int = GAIN) -> int:
        """Code a number below `count`, all of which are equally likely at first."""
        low, size = 0, 1 << (count - 1).bit_length()
        while size > 1:
            size //= 2
            middle, above = low + size, min(count, low + 2 * size) - low - size
            if above <= 0:
                continue
            ones = max(1, GAIN * above // (size + above))
            bit = None if value is None else int(value >= middle)
            if self.bit((context, middle), bit, (ones, GAIN - ones), gain):
                low = middle
        return low

    def number(self, context: Hashable, value: int | None) -> int:
        """Code a number: how many bits it and 1 have, then these bits without the first."""
        wanted = None if value is None else value + 1
        length = 0
        while self.bit(
            (context, length), None if wanted is None else int(wanted.bit_length() - 1 > length)
        ):
            length += 1
            if length > LONGEST:
                raise self.corrupt(f"the number has more than {LONGEST} bits")
        rest = None if wanted is None else wanted - (1 << length)
        if length > LEARNED:
            return (1 << length) + self.raw(length, rest) - 1
        return (1 << length) + self.choice((context, -length), 1 << length, rest) - 1

    def hit(self, context: Hashable, value: int | None, guess: int, start: tuple[int, int]) -> bool:
        """Code whether a value is the one that was guessed."""
        return bool(self.bit(context, None if value is None else int(value == guess), start))

    def guess(
        self,
        context: Hashable,
        value: int | None,
        guesses: Iterable[int | None],
        start: tuple[int, int] = EVEN,
    ) -> int:
        """Code a number that is likely to be one of a few; None is no guess."""
        tried: list[int] = []
        for guess in guesses:
            if guess is None or guess in tried:
                continue
            if self.hit((context, "guess", len(tried)), value, guess, start):
                return guess
            tried.append(guess)
        return self.refuse(self.number((context, "number"), value), tried)

    def refuse(self, value: int, tried: Iterable[int]) -> int:
        """Return `value`, or raise CorruptError if it is one that was guessed."""
        if value in tried:
            raise self.corrupt(f"{value} is coded as if it had not been guessed")
        return value

    def corrupt(self, problem: str) -> CorruptError:
        """Return an error of the field that is coded."""
        return CorruptError(self.field, self.start, problem)
