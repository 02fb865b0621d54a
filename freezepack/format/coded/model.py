"""Which field of a header is coded how; formats/header.md, sections 4 to 7."""

from collections.abc import Callable

from freezepack.format.coded.numbers import LIKELY, Numbers
from freezepack.format.coded.shapes import Shapes
from freezepack.format.coded.spelling import Spelling
from freezepack.format.coded.texts import Texts
from freezepack.types import Draw

FIRST_GUESSES = {
    "features": 0, "dtype": 1, "kind_base": 0, "draw": 2, "kind_flags": 0, "index_codec": 15,
    "value_codec": 4,
}  # fmt: skip
"""What is guessed of a field the first time; later it is the number before."""
GRID = 4
GRID_BITS = 7
"""Bits of the mantissa in the parameter of a grid over a base without integers."""
_INTEGERS = (Draw.uniform, Draw.normal, Draw.truncated_normal)


class HeaderModel:
    """Codes the fields of a header in their order, remembering those before.

    Parameters
    ----------
    numbers : Numbers
        What codes the decisions.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._texts = Texts(numbers)
        self._spelling = Spelling(numbers)
        self._shapes = Shapes(numbers)
        self._last = dict(FIRST_GUESSES)
        self._key = 0
        self._kinds: list[dict[str, int]] = [{}]
        self._entry: dict[str, int] = {}
        self._followers: dict[int, int] = {}
        self._last_kind = 0
        self._most_kind = 0
        self._special: dict[str, Callable[[int | None], int]] = {
            "metadata_key": self._code_key,
            "tensor_kind": self._code_kind,
            "name": self._spelling.code_shared,
            "rank": lambda value: self._shapes.code_rank(value, self._spelling.ending),
            "dimension": self._shapes.code_dimension,
            "scale": self._shapes.code_scale,
            "stream": lambda value: self._code_near("stream", value, 1),
            "tail": lambda value: self._code_near("tail", value, 0),
        }

    def code(self, field: str, value: int | None) -> int:
        """Code the number of a field."""
        self.numbers.field = field
        special = self._special.get(field)
        if special is not None:
            return special(value)
        if field in FIRST_GUESSES:
            found = self.numbers.guess(field, value, [self._last[field]], LIKELY)
            self._last[field] = self._entry[field] = found
            if field == "value_codec":
                self._kinds.append(self._entry)
                self._entry = {}
            return found
        return self.numbers.number(field, value)

    def code_length(self, field: str, value: int | None, left: int) -> int:
        """Code the length of a section; `left` are the bytes of the payload from there on."""
        self.numbers.field = field
        # Where lengths before are too large, the file ends before the section.
        return self.numbers.guess(field, value, [left if left >= 0 else None])

    def code_text(self, field: str, text: bytes | None, most: int) -> bytes:
        """Code a text; a reader stops behind `most` bytes."""
        self.numbers.field = field
        return self._texts.code(self._key if field == "metadata_value" else 0, text, most)

    def code_spelling(self, spelled: bytes | None, most: int) -> bytes:
        """Code the rest of a name; a reader stops behind `most` bytes."""
        self.numbers.field = "name"
        return self._spelling.code_rest(spelled, most)

    def code_bytes(self, field: str, count: int, data: bytes | None) -> bytes:
        """Code `count` bytes that are no number."""
        self.numbers.field = field
        kind = self._kinds[self._last_kind]
        if field != "value_parameter" or kind["value_codec"] != GRID:
            whole = None if data is None else int.from_bytes(data, "big")
            return self.numbers.raw(8 * count, whole).to_bytes(count, "big")
        if kind.get("draw") not in _INTEGERS:
            pattern = None if data is None else int.from_bytes(data, "little")
            return self._shapes.code_pattern("grid", pattern, GRID_BITS).to_bytes(2, "little")
        steps = self.numbers.raw(8, None if data is None else data[0])
        shift = self._code_near("shift", None if data is None else data[1], 0)
        if shift > 255:
            raise self.numbers.corrupt(f"the shift is {shift}, expected a byte")
        return bytes([steps, shift])

    def _code_key(self, value: int | None) -> int:
        """Code a key: mostly the one above that before, or another free one."""
        self._key = self.numbers.guess("metadata_key", value, [self._key + 1, 0])
        return self._key

    def _code_kind(self, value: int | None) -> int:
        """Code a kind: mostly what came last behind the kind before, or a new one, or the same."""
        new = self._most_kind + 1
        guesses = (
            self._followers.get(self._last_kind),
            new if new < len(self._kinds) else None,
            self._last_kind,
        )
        found = self.numbers.guess("tensor_kind", value, guesses)
        self._followers[self._last_kind] = self._last_kind = found
        self._most_kind = max(self._most_kind, found)
        return found

    def _code_near(self, field: str, value: int | None, step: int) -> int:
        """Code a number that may be the one before and `step`."""
        before = self._last.get(field)
        guesses = [] if before is None else [before + step]
        found = self.numbers.guess(field, value, guesses)
        self._last[field] = found
        return found
