"""Texts: what followed the same bytes before is guessed; formats/header.md, section 4."""

from freezepack.format.coded.numbers import LIKELY, Numbers

PRIMER = (
    (8, "MIT"), (8, "Apache-2.0"), (7, "0.9"), (6, ""), (5, "1"), (4, "synflow"), (4, "grasp"),
    (4, "snip"), (3, "0.99"), (3, "0.995"), (2, '{"num_classes":10}'), (2, '{"relu":"conv"}'),
    (1, "resnet-18"), (1, "vgg16-d"), (1, "lenet-300-100"), (1, "lenet5-caffe"),
)  # fmt: skip
"""Metadata, by number of the key, that a reader has seen before the first text of any file."""
ORDERS = (3, 2)
"""How many bytes before the next one are compared."""
END, LETTER, DIGIT, OTHER, HIGH = range(5)
SLOW = 8
"""What one character adds to its counts: alphabets are learned more slowly than decisions."""
LEAST_HEX = 8
MOST_RUN = 3
_HEX = frozenset(b"0123456789abcdef")
_OTHERS = [byte for byte in range(1, 128) if not chr(byte).islower() and not chr(byte).isdigit()]


class Texts:
    """Codes texts and remembers them.

    Parameters
    ----------
    numbers : Numbers
        What codes the decisions.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._past = bytearray()
        self._followers: dict[bytes, int] = {}
        for key, text in PRIMER:
            self._remember(key)
            for byte in (*text.encode(), 0):
                self._remember(byte)

    def code(self, key: int, text: bytes | None, most: int) -> bytes:
        """Code a text under the number of its key, 0 for any other text.

        A reader stops behind `most` bytes, which is more than a text may have.
        """
        coder = self._numbers
        self._remember(key)
        as_hex = None if text is None else int(is_hex(text))
        if coder.bit("hex", as_hex, (8, 24)):
            text = self._code_hex(text, most)
            for byte in text:
                self._remember(byte)
            self._remember(0)
            return text
        found = bytearray()
        run, kind = 0, END
        while len(found) <= most:
            wanted = None if text is None else (*text, 0)[len(found)]
            byte, run, kind = self._code_byte(wanted, run, kind)
            self._remember(byte)
            if not byte:
                break
            found.append(byte)
        if text is None and is_hex(found):
            raise coder.corrupt("hexadecimal digits are coded like other text")
        return bytes(found)

    def _code_hex(self, text: bytes | None, most: int) -> bytes:
        """Code digits of four bits each behind their number."""
        coder = self._numbers
        count = coder.number("digits", None if text is None else len(text) - LEAST_HEX) + LEAST_HEX
        digits = []
        for place in range(min(count, most + 1)):
            digits.append(coder.raw(4, None if text is None else int(text[place : place + 1], 16)))
        return b"".join(b"%x" % digit for digit in digits)

    def _code_byte(self, byte: int | None, run: int, before: int) -> tuple[int, int, int]:
        """Code a byte, 0 at the end; return it, how many were guessed in a row, and its class."""
        coder = self._numbers
        tried: list[int] = []
        for order in ORDERS:
            guess = self._followers.get(bytes(self._past[-order:]))
            if guess is None or guess in tried:
                continue
            if coder.hit(("follower", len(tried), min(run, MOST_RUN)), byte, guess, LIKELY):
                return guess, run + 1, class_of(guess)
            tried.append(guess)
        kind = coder.choice(("class", before), 5, None if byte is None else class_of(byte))
        return coder.refuse(self._code_in(kind, byte), tried), 0, kind

    def _code_in(self, kind: int, byte: int | None) -> int:
        """Code a byte of a known class."""
        coder = self._numbers
        if kind == LETTER:
            return ord("a") + coder.choice("letter", 26, byte and byte - ord("a"), SLOW)
        if kind == DIGIT:
            return ord("0") + coder.choice("digit", 10, byte and byte - ord("0"), SLOW)
        if kind == OTHER:
            place = None if byte is None else _OTHERS.index(byte)
            return _OTHERS[coder.choice("other", len(_OTHERS), place, SLOW)]
        return 0 if kind == END else 128 + coder.raw(7, byte and byte - 128)

    def _remember(self, byte: int) -> None:
        for order in ORDERS:
            if len(self._past) >= order:
                self._followers[bytes(self._past[-order:])] = byte
        self._past.append(byte)


def is_hex(text: bytes | bytearray) -> bool:
    """Return whether a text is coded as hexadecimal digits.

    Examples
    --------
    >>> is_hex(b"28c997984e8202f4"), is_hex(b"0.995")
    (True, False)
    """
    return len(text) >= LEAST_HEX and _HEX.issuperset(text)


def class_of(byte: int) -> int:
    """Return the class of a byte of a text, 0 being its end."""
    if not byte:
        return END
    character = chr(byte)
    if byte > 127:
        return HIGH
    return LETTER if character.islower() else DIGIT if character.isdigit() else OTHER
