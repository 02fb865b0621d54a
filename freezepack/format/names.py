"""Tensor names, front-coded and spelled with a table of common words.

A name shares its beginning with the name before it; the rest is UTF-8 in which the bytes
0x80 to 0xbf, which cannot begin a character, stand for words. See formats/freezepack-1.md,
section "Names".
"""

from freezepack.errors import CorruptError, LimitError
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
    ".in_proj_weight", ".in_proj_bias", ".gamma", ".beta", "_weight", "_bias",
)  # fmt: skip
"""Words 0xa0, 0xa1, ...: the name ends with them and no terminator follows."""
FIRST_WORD = 0x80
FIRST_ENDING = 0xA0
TERMINATOR = 0x00
RESERVED_NAMES = ("__metadata__",)


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
        if rest in ENDINGS:
            out.append(FIRST_ENDING + ENDINGS.index(rest))
            return bytes(out)
        word = max((w for w in WORDS if rest.startswith(w)), key=len, default="")
        if word:
            out.append(FIRST_WORD + WORDS.index(word))
            rest = rest[len(word) :]
        else:
            out += rest[0].encode()
            rest = rest[1:]
    out.append(TERMINATOR)
    return bytes(out)


def check_name(name: str, field: str = "name", offset: int = 0) -> None:
    """Refuse names that no file may hold: empty, too long, with NUL, or reserved."""
    length = len(name.encode("utf-8"))
    if length > MAX_NAME:
        raise LimitError(field, offset, f"{length} bytes, expected at most {MAX_NAME}")
    if not name or "\0" in name or name in RESERVED_NAMES:
        raise CorruptError(field, offset, f"the name {name!r} is not allowed")


def read_name(cursor: Cursor, previous: str) -> str:
    """Read one name; it must be greater than `previous` in UTF-8 order and canonically spelled."""
    offset = cursor.offset
    shared = cursor.varint("name", MAX_NAME)
    before = previous.encode()
    if shared > len(before):
        problem = f"shares {shared} bytes with a name of {len(before)} bytes"
        raise CorruptError("name", offset, problem)
    spelled = bytearray()
    text = bytearray(before[:shared])
    ended = False
    while not ended:
        piece, expanded, ended = _read_piece(cursor)
        spelled += piece
        text += expanded
        if len(text) > MAX_NAME:
            raise LimitError("name", offset, f"expected at most {MAX_NAME} bytes")
    name = decode_text(bytes(text), "name", offset)
    check_name(name, "name", offset)
    if previous and name.encode() <= before:
        problem = f"{name!r} after {previous!r}: names must be unique and in UTF-8 order"
        raise CorruptError("name", offset, problem)
    if encode_name(name, previous) != varint_bytes(shared) + spelled:
        raise CorruptError("name", offset, f"{name!r} is not in its canonical spelling")
    return name


def _read_piece(cursor: Cursor) -> tuple[bytes, bytes, bool]:
    """Return stored bytes and expansion of one word or character, and whether the name ended."""
    offset = cursor.offset
    first = cursor.take(1, "name")
    code = first[0]
    if code == TERMINATOR:
        return first, b"", True
    if code < FIRST_WORD:
        return first, first, False
    if code < FIRST_WORD + len(WORDS):
        return first, WORDS[code - FIRST_WORD].encode(), False
    if FIRST_ENDING <= code < FIRST_ENDING + len(ENDINGS):
        return first, ENDINGS[code - FIRST_ENDING].encode(), True
    length = (
        2 if 0xC2 <= code < 0xE0 else 3 if 0xE0 <= code < 0xF0 else 4 if 0xF0 <= code < 0xF5 else 0
    )
    if not length:
        raise CorruptError("name", offset, f"0x{code:02x} begins neither a word nor a character")
    character = first + cursor.take(length - 1, "name")
    decode_text(character, "name", offset)
    return character, character, False
