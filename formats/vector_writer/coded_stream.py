"""The coder of coded headers: decisions, numbers, guesses; formats/header.md, sections 2 and 3."""

from dataclasses import dataclass, field

EVEN, LIKELY = (16, 16), (24, 8)


@dataclass
class Stream:
    """The binary coder of formats/hazard.md with the counts of formats/header.md.

    Attributes
    ----------
    wrong : str
        The context of a guess that is treated as if it was never right, or of something else that
        is coded as it must not be.
    """

    low: int = 0
    high: int = 2**32 - 1
    out: bytearray = field(default_factory=bytearray)
    counts: dict[object, list[int]] = field(default_factory=dict)
    wrong: str = ""

    def decide(self, p: int, bit: int) -> None:
        """Code a bit that is 1 with the probability p / 65536."""
        middle = self.low + ((self.high - self.low) * p >> 16)
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            self.out.append(self.low >> 24)
            self.low = self.low << 8 & 0xFFFFFFFF
            self.high = self.high << 8 & 0xFFFFFFFF | 255

    def bit(self, context: object, bit: int, start: tuple[int, int] = EVEN, gain: int = 32) -> None:
        """Code a bit and learn it."""
        ones, zeros = self.counts.get(context, start)
        self.decide(ones * 65536 // (ones + zeros), bit)
        counts = [ones + gain * bit, zeros + gain * (1 - bit)]
        if sum(counts) > 4096:
            counts = [(count + 1) // 2 for count in counts]
        self.counts[context] = counts

    def raw(self, count: int, value: int) -> None:
        """Code `count` bits."""
        for place in range(count - 1, -1, -1):
            self.decide(32768, value >> place & 1)

    def choice(self, context: object, count: int, value: int, gain: int = 32) -> None:
        """Code a number below `count`."""
        low, size = 0, 1
        while size < count:
            size *= 2
        while size > 1:
            size //= 2
            middle = low + size
            above = min(count, middle + size) - middle
            if above > 0:
                ones = max(1, 32 * above // (size + above))
                self.bit((context, middle), int(value >= middle), (ones, 32 - ones), gain)
                low = middle if value >= middle else low

    def number(self, context: object, value: int) -> None:
        """Code any number; a wrong one has too many bits."""
        value = 2**70 if context == self.wrong else value
        bits = (value + 1).bit_length() - 1
        for place in range(bits):
            self.bit((context, place), 1)
            if place == 64:
                return  # too long: a reader stops here
        self.bit((context, bits), 0)
        rest = value + 1 - 2**bits
        if bits <= 3:
            self.choice((context, -bits), 2**bits, rest)
        else:
            self.raw(bits, rest)

    def guess(
        self,
        context: str,
        value: int,
        guesses: list[int | None],
        start: tuple[int, int] = EVEN,
    ) -> None:
        """Code a number that may be guessed."""
        tried: list[int] = []
        for guess in guesses:
            if guess is not None and guess not in tried:
                right = value == guess and context != self.wrong
                self.bit((context, "guess", len(tried)), int(right), start)
                if right:
                    return
                tried.append(guess)
        self.number((context, "number"), value)

    def guessed(self, context: str, count: int, byte: int, first: int, guess: int) -> None:
        """Code one of `count` bytes from `first` on."""
        if guess:
            right = byte == guess and context != self.wrong
            self.bit((context, "guess"), int(right), LIKELY)
            if right:
                return
        self.choice(context, count, byte - first, 8)

    def finish(self) -> bytes:
        """Return the stream in canonical form."""
        tail = b""
        for count in (1, 2, 3, 4) if self.low else ():
            unit = 1 << 32 - 8 * count
            multiple = -(-self.low // unit) * unit
            if multiple <= self.high:
                tail = multiple.to_bytes(4, "big")[:count]
                break
        return bytes(self.out + tail).rstrip(b"\0")
