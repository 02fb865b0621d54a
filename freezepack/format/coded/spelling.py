"""Spelled names: which beginning they share, and the rest; formats/header.md, section 5."""

from freezepack.format.coded.numbers import LIKELY, Numbers
from freezepack.format.coded.texts import SLOW
from freezepack.format.names import (
    EXPANSIONS,
    FIRST_ENDING,
    FIRST_LEAD_BYTE,
    FIRST_WORD,
    TERMINATOR,
    count_following,
)

END, WORD, ENDING, DIGIT, OTHER, LEAD = range(6)
_OTHERS = [byte for byte in range(1, FIRST_WORD) if not chr(byte).isdigit()]
_LEADS = range(0xC2, 0xF5)


class Spelling:
    """Codes stored names, each after the one before.

    Parameters
    ----------
    numbers : Numbers
        What codes the decisions.

    Attributes
    ----------
    ending : int
        The byte that ends the name coded last: that of an ending, or 0.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._before = b""
        self._shared = 0
        self.ending = TERMINATOR
        self._after: dict[int, int] = {}

    def code_shared(self, value: int | None) -> int:
        """Code how many bytes of the name before this one begins with; 0 for the first."""
        self._shared = 0
        if self._before:
            dot = self._before.rfind(b".") + 1
            stem = self._before[: max(0, dot - 1)]
            guesses = (dot, len(stem.rstrip(b"0123456789")), 0)
            self._shared = self._numbers.guess("shared", value, guesses)
        return self._shared

    def code_rest(self, spelled: bytes | None, most: int) -> bytes:
        """Code the rest as it is spelled; a reader stops behind `most` bytes of spelling."""
        pieces = None if spelled is None else iter(_cut(spelled))
        last, kind, found = self.ending, END, bytearray()
        name = bytearray(self._before[: self._shared])
        while len(found) <= most:
            piece = None if pieces is None else next(pieces)
            kind, piece = self._code_piece(piece, kind, last, first=not found)
            found += piece
            name += EXPANSIONS[piece[0]] if len(piece) == 1 else piece
            if kind in (END, ENDING):
                self.ending = piece[0]
                self._after[last] = self.ending
                break
        self._before = bytes(name)
        return bytes(found)

    def _code_piece(
        self, piece: bytes | None, before: int, last: int, *, first: bool
    ) -> tuple[int, bytes]:
        """Code a character, a word or an end; return its class and its bytes."""
        coder = self._numbers
        byte = None if piece is None else piece[0]
        context = ("piece", before, first)
        kind = coder.choice(context, 6, None if byte is None else _class_of(byte))
        if kind == END:
            return kind, bytes([TERMINATOR])
        if kind == WORD:
            return kind, bytes([coder.choice("word", 32, byte and byte & 31, SLOW) + FIRST_WORD])
        if kind == ENDING:
            guess = self._after.get(last, TERMINATOR)
            return kind, bytes([self._guessed("ending", 16, byte, FIRST_ENDING, guess)])
        if kind == DIGIT:
            guess = self._next_digit() if first else TERMINATOR
            return kind, bytes([self._guessed("numeral", 10, byte, ord("0"), guess)])
        if kind == OTHER:
            place = None if byte is None else _OTHERS.index(byte)
            return kind, bytes([_OTHERS[coder.choice("sign", len(_OTHERS), place, SLOW)]])
        lead = _LEADS[coder.choice("lead", len(_LEADS), byte and byte - _LEADS[0], SLOW)]
        following = [
            128 + coder.raw(6, None if piece is None else piece[1 + place] & 63)
            for place in range(count_following(lead))
        ]
        return kind, bytes([lead, *following])

    def _guessed(self, context: str, count: int, byte: int | None, base: int, guess: int) -> int:
        """Code one of `count` bytes from `base` on, one of which may be guessed."""
        coder = self._numbers
        guessed = base <= guess < base + count
        if guessed and coder.hit((context, "guess"), byte, guess, LIKELY):
            return guess
        found = base + coder.choice(context, count, byte and byte - base, SLOW)
        return coder.refuse(found, [guess])

    def _next_digit(self) -> int:
        """Return the digit above the one at this place of the name before, if there is one."""
        digit = self._before[self._shared : self._shared + 1]
        return digit[0] + 1 if b"0" <= digit <= b"8" else TERMINATOR


def _class_of(byte: int) -> int:
    if byte == TERMINATOR:
        return END
    if byte < FIRST_WORD:
        return DIGIT if chr(byte).isdigit() else OTHER
    return WORD if byte < FIRST_ENDING else ENDING if byte < FIRST_LEAD_BYTE else LEAD


def _cut(spelled: bytes) -> list[bytes]:
    """Cut a spelling into pieces of one character, word or ending."""
    pieces = []
    place = 0
    while place < len(spelled):
        length = 1 + (count_following(spelled[place]) if spelled[place] >= FIRST_LEAD_BYTE else 0)
        pieces.append(spelled[place : place + length])
        place += length
    return pieces
