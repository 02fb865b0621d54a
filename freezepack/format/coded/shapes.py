"""Ranks, dimensions and factors, guessed from tensors before; formats/header.md, section 6."""

from collections.abc import Iterator
from math import isqrt, prod

from freezepack.format.coded.numbers import Numbers

MANTISSA = 23
COMMON = (1, 2, 3, 6)
"""Numbers c of the factors sqrt(c / n) that initializers use, n a number of inputs or outputs."""


class Shapes:
    """Codes shapes, and the float patterns that belong to them.

    Parameters
    ----------
    numbers : Numbers
        What codes the decisions.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._shape: list[int] = []
        self._rank = 0
        self._first = 0
        self._wide: tuple[int, ...] = ()
        self._ranks: dict[int, int] = {}
        self._patterns: dict[str, int] = {}

    def code_rank(self, value: int | None, ending: int) -> int:
        """Code a rank; tensors whose names end alike often have the same."""
        guesses = (self._ranks.get(ending), 1)
        self._rank = self._numbers.guess("rank", value, guesses)
        self._ranks[ending] = self._rank
        self._shape = []
        return self._rank

    def code_dimension(self, value: int | None) -> int:
        """Code the next dimension of a shape."""
        place = len(self._shape)
        if place == 0:
            found = self._numbers.guess("rows", value, [self._first or None])
            self._first = found
        elif place == 1:
            found = self._code_columns(value)
        elif place == 2:
            guess = self._wide[2] if len(self._wide) > 2 else None
            found = self._numbers.guess("kernel", value, [guess])
        else:
            found = self._numbers.guess("side", value, [self._shape[-1]])
        self._shape.append(found)
        if len(self._shape) == self._rank and self._rank > 1:
            self._wide = tuple(self._shape)
        return found

    def _code_columns(self, value: int | None) -> int:
        """Code inputs: often a multiple of the outputs of the layer before."""
        coder = self._numbers
        outputs = self._wide[0] if self._wide else 0
        if not outputs:
            return coder.number("columns", value)
        factor, rest = divmod(value or 0, outputs)
        multiple = None if value is None else int(factor > 0 and not rest)
        if coder.bit("multiple", multiple):
            return outputs * (1 + coder.number("factor", None if value is None else factor - 1))
        found = coder.number("columns", value)
        if found and not found % outputs:
            raise coder.corrupt(f"{found} is not coded as a multiple of {outputs}")
        return found

    def code_scale(self, value: int | None) -> int:
        """Code the factor of a draw: the one before, or that of a common initializer, or any."""
        coder = self._numbers
        before = self._patterns.get("scale")
        if before is not None and coder.hit("same scale", value, before, (16, 16)):
            return before
        common = list(_mantissas(self._shape))
        part = None if value is None else value & (1 << MANTISSA) - 1
        number = None if part is None else common.index(part) + 1 if part in common else 0
        number = coder.choice("initializer", len(common) + 1, number) if common else 0
        found = self._code_exponent("scale", value, MANTISSA)
        if number:
            mantissa = common[number - 1]
            if mantissa in common[: number - 1]:
                raise coder.corrupt("an initializer stands for the mantissa of one before it")
        else:
            mantissa = self._code_mantissa("scale", part, MANTISSA)
            coder.refuse(mantissa, common)
        found = found << MANTISSA | mantissa
        self._patterns["scale"] = coder.refuse(found, [] if before is None else [before])
        return found

    def code_pattern(self, context: str, value: int | None, bits: int) -> int:
        """Code the upper part of a float32 pattern with `bits` bits of its mantissa."""
        mantissa = None if value is None else value & (1 << bits) - 1
        upper = self._code_exponent(context, value, bits)
        return upper << bits | self._code_mantissa(context, mantissa, bits)

    def _code_exponent(self, context: str, value: int | None, bits: int) -> int:
        """Code sign and exponent by the distance from those before."""
        place = (context, "exponent")
        before = self._patterns.get(context + " exponent", 120)
        upper = None if value is None else value >> bits
        step = None if upper is None else upper - before
        folded = None if step is None else 2 * step if step >= 0 else -2 * step - 1
        folded = self._numbers.number(place, folded)
        upper = before + (folded // 2 if folded % 2 == 0 else -(folded + 1) // 2)
        if not 0 <= upper < 512:
            raise self._numbers.corrupt(f"{upper} is no sign and exponent of a float32")
        self._patterns[context + " exponent"] = upper
        return upper

    def _code_mantissa(self, context: str, value: int | None, bits: int) -> int:
        """Code a mantissa from its lowest bit on; zeros there are learned."""
        coder = self._numbers
        zeros = 0
        while zeros < bits:
            bit = None if value is None else value >> zeros & 1
            if coder.bit((context, "zeros"), bit):
                break
            zeros += 1
        if zeros >= bits - 1:
            return 0 if zeros == bits else 1 << zeros
        rest = coder.raw(bits - zeros - 1, None if value is None else value >> zeros + 1)
        return (2 * rest + 1) << zeros


def _mantissas(shape: list[int]) -> Iterator[int]:
    """Yield the float32 mantissas of sqrt(c / n) for common initializers of a weight."""
    if len(shape) < 2 or 0 in shape:
        return
    area = prod(shape[2:])
    inputs, outputs = area * shape[1], area * shape[0]
    for count in (inputs + outputs, inputs, outputs):
        for common in COMMON:
            yield root_mantissa(common, count)


def root_mantissa(number: int, count: int) -> int:
    """Return the 23 bits behind the leading 1 of sqrt(number / count), rounded to nearest.

    Examples
    --------
    >>> hex(root_mantissa(2, 525)), root_mantissa(4, 1)
    ('0x7ccf84', 0)
    """
    shift = max(0, 26 + (count.bit_length() - number.bit_length() + 1) // 2)
    root = isqrt((number << 2 * shift) // count)
    spare = root.bit_length() - MANTISSA - 2  # one bit more than a mantissa and its leading 1
    return ((root >> spare) + 1 >> 1) & (1 << MANTISSA) - 1
