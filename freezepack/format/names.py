"""Tensor names, front-coded and spelled with a table of common words.

A name shares its beginning with the name before it; the rest is UTF-8 in which the bytes
0x80 to 0xbf, which cannot begin a character, stand for words. See formats/freezepack-1.md,
section "Names".
"""

import re
from bisect import bisect_left

from freezepack.errors import CorruptError, LimitError, TruncatedError, VersionError
from freezepack.format.constants import MAX_NAME
from freezepack.format.cursor import Cursor, decode_text, varint_bytes

WORDS = (
    "conv", "fc", "layer", "layers.", "block", "blocks.", "features.", "classifier.",
    "bn", "norm", "encoder.", "decoder.", "attn.", "self_attn.", "attention.", "mlp.",
    "linear", "dense", "downsample.", "shortcut.", "model.", "transformer.", "embeddings.",
    "embed", "_proj", "head", "stem.", "backbone.", "module.", "out_proj", "weight", "bias",
)  # fmt: skip
"""Words 0x80, 0x81, ...: the name goes on."""
ENDINGS = (
    ".weight", ".bias", "weight", "bias", ".running_mean", ".running_var",
    ".num_batches_tracked", "running_mean", "running_var", "num_batches_tracked",
    "in_proj_weight", "in_proj_bias", ".gamma", ".beta", "_weight", "_bias",
)  # fmt: skip
"""Words 0xa0, 0xa1, ...: the name ends with them and no terminator follows."""
TERMINATOR = 0x00
FIRST_WORD = 0x80
FIRST_ENDING = 0xA0
FIRST_LEAD_BYTE = 0xC0
RESERVED_NAMES = ("__metadata__",)
EXPANSIONS = [b"", *(bytes([byte]) for byte in range(1, FIRST_WORD))]
EXPANSIONS += [word.encode() for word in (*WORDS, *ENDINGS)]
"""What each byte of a spelling stands for, the beginnings of longer characters left out."""
_MARK = b"\xff"  # never in UTF-8
_WORD_CODES = {word.encode(): bytes([FIRST_WORD + n]) for n, word in enumerate(WORDS)}
_ENDING_CODES = {end.encode(): _MARK + bytes([FIRST_ENDING + n]) for n, end in enumerate(ENDINGS)}
_PIECES = re.compile(
    b"(%b)\\Z|%b"
    % (
        b"|".join(map(re.escape, _ENDING_CODES)),
        b"|".join(map(re.escape, sorted(_WORD_CODES, key=len, reverse=True))),
    )
)


def encode_name(name: str, previous: str) -> bytes:
    """Return the stored form of `name` after `previous`.

    Examples
    --------
    >>> encode_name("conv1.bias", "").hex()
    '008031a1'
    >>> encode_name("conv1.weight", "conv1.bias").hex()
    '06a2'
    """
    shared = _shared_characters(previous, name)
    return varint_bytes(len(name[:shared].encode())) + _spell(name[shared:].encode())


def name_problem(name: str) -> str:
    """Return why no file may hold a tensor of this name, or "".

    Examples
    --------
    >>> name_problem("__metadata__")
    "the name '__metadata__' is reserved"
    """
    if not name:
        return "the name is empty"
    if name in RESERVED_NAMES:
        return f"the name {name!r} is reserved"
    if "\0" in name:
        return f"the name {name!r} holds NUL"
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return f"the name {name!r} is not Unicode text"
    if length > MAX_NAME:
        return f"the name has {length} bytes, expected at most {MAX_NAME}"
    return ""


def read_name(cursor: Cursor, previous: str) -> str:
    """Read one name; it must be greater than `previous` in UTF-8 order and canonically spelled.

    The shared beginning is copied and compared as a whole; only the rest is looked at byte by
    byte, so that long names with much in common cost little.
    """
    start = cursor.offset
    shared = cursor.varint("name", MAX_NAME)
    before = previous.encode()
    if shared > len(before):
        problem = f"it begins like a name of {len(before)} bytes for {shared} bytes"
        raise CorruptError("name", start, problem)
    spelled, rest = _read_rest(cursor, start, MAX_NAME - shared)
    text = before[:shared] + rest
    name = decode_text(text, "name", start)
    problem = name_problem(name)
    if not problem and previous and text <= before:
        problem = f"{name!r} after {previous!r}: names must ascend by UTF-8 and be unique"
    if not problem and (_share_more(before, text, shared) or _spell(rest) != spelled):
        problem = f"{name!r} is not in its one spelling"
    if problem:
        raise CorruptError("name", start, problem)
    return name


def _read_rest(cursor: Cursor, start: int, limit: int) -> tuple[bytes, bytes]:
    """Return the rest of a name as it is stored, and expanded to at most `limit` bytes."""
    # A byte stands for one byte or more, so the limit is passed before these bytes end.
    stored = cursor.spelling(limit + 4)
    rest = bytearray()
    place = 0
    while place < len(stored):
        code = stored[place]
        end = place + 1
        if code < FIRST_LEAD_BYTE:
            if code >= len(EXPANSIONS):
                raise VersionError("name", start, f"unknown ending 0x{code:02x}")
            rest += EXPANSIONS[code]
        else:
            end += count_following(code)
            if end > len(stored):
                break
            decode_text(stored[place:end], "name", start)
            rest += stored[place:end]
        if len(rest) > limit:
            raise LimitError("name", start, f"more than {MAX_NAME} bytes")
        if code == TERMINATOR or FIRST_ENDING <= code < FIRST_LEAD_BYTE:
            return cursor.take(end, "name", start), bytes(rest)
        place = end
    raise TruncatedError("name", start, f"{len(stored)} bytes left, and the name does not end")


def count_following(lead: int) -> int:
    """Return how many bytes of UTF-8 follow a lead byte.

    Examples
    --------
    >>> count_following("名".encode()[0])
    2
    """
    return 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3


def _share_more(before: bytes, text: bytes, shared: int) -> bool:
    """Return whether names that share `shared` bytes have the next character in common too."""
    if shared in (len(before), len(text)):
        return False
    end = shared + 1
    if text[shared] >= FIRST_LEAD_BYTE:
        end += count_following(text[shared])
    return before[shared:end] == text[shared:end]


def _shared_characters(previous: str, name: str) -> int:
    """Return the length of the longest common beginning, in whole characters."""
    lengths = range(1, min(len(previous), len(name)) + 1)
    return bisect_left(lengths, True, key=lambda length: previous[:length] != name[:length])


def _spell(rest: bytes) -> bytes:
    """Spell what is left of a name: an ending, else the longest word, else one character."""
    head, _, ending = _PIECES.sub(_code, rest).partition(_MARK)
    return head + (ending or bytes([TERMINATOR]))


def _code(piece: re.Match[bytes]) -> bytes:
    """Return the byte for a word, or a mark and the byte for an ending."""
    return _ENDING_CODES[piece[1]] if piece[1] else _WORD_CODES[piece[0]]
