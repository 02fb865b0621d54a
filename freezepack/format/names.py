"""Tensor names, front-coded and spelled with a table of common words.

A name shares its beginning with the name before it; the rest is UTF-8 in which the bytes
0x80 to 0xbf, which cannot begin a character, stand for words. See formats/freezepack-1.md,
section "Names".
"""

from freezepack.errors import CorruptError, LimitError, VersionError
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
_WORD_CODES = {word: FIRST_WORD + place for place, word in enumerate(WORDS)}
_ENDING_CODES = {ending: FIRST_ENDING + place for place, ending in enumerate(ENDINGS)}
_WORDS_BY_FIRST = {
    first: sorted((word for word in WORDS if word[0] == first), key=len, reverse=True)
    for first in {word[0] for word in WORDS}
}


def encode_name(name: str, previous: str) -> bytes:
    """Return the stored form of `name` after `previous`.

    Examples
    --------
    >>> encode_name("conv1.bias", "").hex()
    '008031a1'
    >>> encode_name("conv1.weight", "conv1.bias").hex()
    '06a2'
    """
    shared = _shared_prefix(previous, name)
    return varint_bytes(len(shared.encode())) + _spell(name[len(shared) :])


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
    length = len(name.encode("utf-8", "surrogatepass"))
    if length > MAX_NAME:
        return f"the name has {length} bytes, expected at most {MAX_NAME}"
    if any("\ud800" <= character <= "\udfff" for character in name):
        return f"the name {name!r} is not Unicode text"
    return ""


def read_name(cursor: Cursor, previous: str) -> str:
    """Read one name; it must be greater than `previous` in UTF-8 order and canonically spelled."""
    start = cursor.offset
    shared = cursor.varint("name", MAX_NAME)
    before = previous.encode()
    if shared > len(before):
        problem = f"it begins like a name of {len(before)} bytes for {shared} bytes"
        raise CorruptError("name", start, problem)
    spelled = varint_bytes(shared)
    text = before[:shared]
    ended = False
    while not ended:
        stored, expanded, ended = _read_piece(cursor, start)
        spelled += stored
        text += expanded
        if len(text) > MAX_NAME:
            raise LimitError("name", start, f"more than {MAX_NAME} bytes")
    name = decode_text(text, "name", start)
    problem = name_problem(name)
    if not problem and previous and text <= before:
        problem = f"{name!r} after {previous!r}: names must ascend by UTF-8 and be unique"
    if not problem and encode_name(name, previous) != spelled:
        problem = f"{name!r} is not in its one spelling"
    if problem:
        raise CorruptError("name", start, problem)
    return name


def _read_piece(cursor: Cursor, start: int) -> tuple[bytes, bytes, bool]:
    """Return stored bytes and expansion of one word or character, and whether the name ended."""
    first = cursor.take(1, "name", start)
    code = first[0]
    if code == TERMINATOR:
        return first, b"", True
    if code < FIRST_WORD:
        return first, first, False
    if code < FIRST_ENDING:
        return first, WORDS[code - FIRST_WORD].encode(), False
    if code < FIRST_LEAD_BYTE:
        if code >= FIRST_ENDING + len(ENDINGS):
            raise VersionError("name", start, f"unknown ending 0x{code:02x}")
        return first, ENDINGS[code - FIRST_ENDING].encode(), True
    following = 1 if code < 0xE0 else 2 if code < 0xF0 else 3
    character = first + cursor.take(following, "name", start)
    decode_text(character, "name", start)
    return character, character, False


def _shared_prefix(previous: str, name: str) -> str:
    """Return the longest common beginning, in whole characters."""
    length = 0
    for a, b in zip(previous, name, strict=False):
        if a != b:
            break
        length += 1
    return name[:length]


def _spell(rest: str) -> bytes:
    """Spell what is left of a name: an ending, else the longest word, else one character."""
    out = bytearray()
    while rest:
        if rest in _ENDING_CODES:
            out.append(_ENDING_CODES[rest])
            return bytes(out)
        for word in _WORDS_BY_FIRST.get(rest[0], ()):
            if rest.startswith(word):
                out.append(_WORD_CODES[word])
                rest = rest[len(word) :]
                break
        else:
            out += rest[0].encode()
            rest = rest[1:]
    out.append(TERMINATOR)
    return bytes(out)
