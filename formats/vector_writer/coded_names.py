"""Names of coded headers; formats/header.md, section 6."""

from vector_writer.coded_stream import Stream

WORDS = (
    b"conv fc layer layers. block blocks. features. classifier. bn norm encoder. decoder. attn. "
    b"self_attn. attention. mlp. linear dense downsample. shortcut. model. transformer. "
    b"embeddings. embed _proj head stem. backbone. module. out_proj weight bias .weight .bias "
    b"weight bias .running_mean .running_var .num_batches_tracked running_mean running_var "
    b"num_batches_tracked in_proj_weight in_proj_bias .gamma .beta _weight _bias"
).split()


class NameCoder:
    """Codes names, each after the one before."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.name = b""
        self.shared = 0
        self.end = 0
        self.after_end: dict[int, int] = {}

    def code(self, shared: int, spelled: bytes) -> None:
        """Code a name: its number and its spelling."""
        self.shared = shared
        if self.name:
            dot = self.name.rfind(b".") + 1
            stem = self.name[: max(0, dot - 1)]
            while stem[-1:].isdigit():
                stem = stem[:-1]
            self.stream.guess("shared", self.shared, [dot, len(stem), 0])
        name, before, place = self.name[: self.shared], 0, 0
        while place < len(spelled):
            lead = spelled[place]
            more = 0 if lead < 0xC0 else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
            piece = spelled[place : place + 1 + more]
            before = self.piece(piece, before, not place)
            name += piece if lead < 128 or more else WORDS[lead - 128]
            place += 1 + more
        self.after_end[self.end] = self.end = spelled[-1]
        self.name = name.rstrip(b"\0")

    def piece(self, piece: bytes, before: int, first: bool) -> int:
        """Code a piece of a name and return its class."""
        byte, guess, stream = piece[0], 0, self.stream
        signs = [n for n in range(1, 128) if not 48 <= n < 58]
        kind = 0 if not byte else 5 if byte > 191 else 2 if byte > 159 else 1 if byte > 127 else 4
        kind = 3 if 48 <= byte < 58 else kind
        stream.choice(("piece", before, first), 6, kind)
        if kind == 1:
            stream.choice("word", 32, byte - 128, 8)
        if kind == 2:
            guess = self.after_end.get(self.end, 0)
            stream.guessed("ending", 16, byte, 160, guess)
        if kind == 3:
            digit = self.name[self.shared : self.shared + 1]
            guess = digit[0] + 1 if first and digit and digit in b"012345678" else 0
            stream.guessed("numeral", 10, byte, 48, guess)
        if kind == 4:
            stream.choice("sign", 117, signs.index(byte), 8)
        if kind == 5:
            stream.choice("lead", 51, byte - 194, 8)
            for following in piece[1:]:
                stream.raw(6, following & 63)
        return kind


def spell(rest: bytes) -> bytes:
    """Spell a name without characters above 127."""
    out = b""
    while rest:
        if rest in WORDS[32:]:
            return out + bytes([128 + 32 + WORDS[32:].index(rest)])
        found = max((word for word in WORDS[:32] if rest.startswith(word)), key=len, default=b"")
        out += bytes([128 + WORDS.index(found)]) if found else rest[:1]
        rest = rest[len(found) or 1 :]
    return out + b"\0"
