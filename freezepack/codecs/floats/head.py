"""The first bytes of a section: formats/floats.md, section 4."""

from dataclasses import dataclass

from freezepack.codecs.floats.parts import Kind, Split

_NEAR = 1 << 6
_EQUAL = 1 << 7
_EXTENDED = 63


@dataclass(frozen=True, slots=True)
class Head:
    """What a decoder has to know before the values.

    Attributes
    ----------
    split : Split
        How the magnitudes are cut.
    equal : int
        Values that have every bit of their base.
    top : int
        Largest exponent of the others; 0 if there are none.
    """

    split: Split
    equal: int
    top: int


def write_head(head: Head, count: int) -> bytes:
    """Return the bytes of a head.

    Examples
    --------
    >>> from freezepack.codecs.floats.parts import FLOAT32
    >>> write_head(Head(Split(FLOAT32, False, 0, 22), 0, 124), 5).hex()
    '167c'
    """
    split = head.split
    flags = _NEAR * split.near | (_EQUAL if head.equal else 0)
    if split.shift:
        out = bytes([flags | _EXTENDED, split.raw, split.shift])
    else:
        out = bytes([flags | split.raw])
    if head.equal:
        out += _varint(head.equal)
    return out if head.equal == count else out + _varint(head.top)


def read_head(data: bytes, kind: Kind, count: int) -> tuple[Head, int]:
    """Return a head and its length.

    Raises
    ------
    EOFError
        If the bytes end.
    ValueError
        If it breaks a rule; the message says which.
    """
    first, position = _byte(data, 0), 1
    near, raw, shift = bool(first & _NEAR), first & 63, 0
    if raw == _EXTENDED:
        raw, shift, position = _byte(data, 1), _byte(data, 2), 3
        if near or not shift:
            raise ValueError(f"a shift of {shift} in an extended head, near is {int(near)}")
    if raw + shift > kind.fraction:
        raise ValueError(f"{raw} + {shift} low bits of a fraction of {kind.fraction}")
    equal = top = 0
    if first & _EQUAL:
        equal, position = _read_varint(data, position)
        if not 0 < equal <= count:
            raise ValueError(f"{equal} of {count} values are equal to their base")
    if equal == count:
        if near or raw or shift:
            raise ValueError("a head for values that are all equal to their base has other fields")
    else:
        top, position = _read_varint(data, position)
    return Head(Split(kind, near, shift, raw), equal, top), position


def _byte(data: bytes, position: int) -> int:
    if position >= len(data):
        raise EOFError(f"{len(data)} bytes, too few for a head")
    return data[position]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of at most 21 bits in its shortest form, and where it ends."""
    value = 0
    for shift in (0, 7, 14):
        byte = _byte(data, position)
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if byte == 0 and shift:
                raise ValueError("a number is not in its shortest form")
            return value, position
    raise ValueError("a number has more than 3 bytes")
