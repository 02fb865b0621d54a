"""Shapes and factors of coded headers; formats/header.md, section 7."""

from fractions import Fraction
from math import isqrt, prod

from vector_writer.coded_stream import Stream


class ShapeCoder:
    """Codes ranks, dimensions and patterns of float32."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.last: dict[str, int] = {}
        self.ranks: dict[int, int] = {}
        self.shape: list[int] = []
        self.rank = 0
        self.rows = 0
        self.wide: list[int] = []

    def rank_of(self, value: int, end: int) -> None:
        """Code a rank."""
        self.stream.guess("rank", value, [self.ranks.get(end), 1])
        self.ranks[end] = self.rank = value
        self.shape = []

    def dimension(self, value: int) -> None:
        """Code a dimension."""
        place = len(self.shape)
        if place == 0:
            self.stream.guess("rows", value, [self.rows or None])
            self.rows = value
        elif place == 1:
            self.columns(value, self.wide[0] if self.wide else 0)
        elif place == 2:
            self.stream.guess("kernel", value, [self.wide[2] if len(self.wide) > 2 else None])
        else:
            self.stream.guess("side", value, [self.shape[-1]])
        self.shape.append(value)
        if len(self.shape) == self.rank > 1:
            self.wide = self.shape

    def columns(self, value: int, outputs: int) -> None:
        """Code dimension 1."""
        multiple = bool(
            outputs and value and value % outputs == 0 and self.stream.wrong != "multiple"
        )
        if outputs:
            self.stream.bit("multiple", int(multiple))
        if multiple:
            self.stream.number("factor", value // outputs - 1)
        else:
            self.stream.number("columns", value)

    def scale(self, value: int) -> None:
        """Code the factor of a draw."""
        before = self.last.get("scale")
        if before is not None:
            same = value == before and self.stream.wrong != "same scale"
            self.stream.bit("same scale", int(same))
            if same:
                return
        self.last["scale"] = value
        mantissa, number = value & 2**23 - 1, 0
        if len(self.shape) > 1 and 0 not in self.shape:
            area = prod(self.shape[2:])
            inputs, outputs = self.shape[1] * area, self.shape[0] * area
            counts = (inputs + outputs, inputs, outputs)
            roots = [root_mantissa(Fraction(c, n)) for n in counts for c in (1, 2, 3, 6)]
            found = [place + 1 for place, root in enumerate(roots) if root == mantissa]
            if self.stream.wrong == "second initializer":
                found = found[1:]
            number = found[0] if found and self.stream.wrong != "initializer" else 0
            self.stream.choice("initializer", 13, number)
        self.exponent("scale", value >> 23)
        if not number:
            self.mantissa("scale", mantissa, 23)

    def exponent(self, context: str, value: int) -> None:
        """Code sign and exponent."""
        step = value - self.last.get(context + " exponent", 120)
        if self.stream.wrong == "exponent":
            step = 1000
        self.stream.number((context, "exponent"), 2 * step if step >= 0 else -2 * step - 1)
        self.last[context + " exponent"] = value

    def mantissa(self, context: str, value: int, bits: int) -> None:
        """Code a mantissa."""
        place = 0
        while place < bits:
            bit = value >> place & 1
            self.stream.bit((context, "zeros"), bit)
            place += 1
            if bit:
                break
        self.stream.raw(bits - place, value >> place)


def root_mantissa(square: Fraction) -> int:
    """Return the mantissa of the float32 number nearest to the root of a fraction."""
    while square < 2**46:
        square *= 4
    while square >= 2**48:
        square /= 4
    root = isqrt(int(square))  # 24 bits
    root += square > Fraction(2 * root + 1, 2) ** 2
    return root % 2**23
