"""Headers coded by formats/header.md, from fields by name; this shares nothing with the reader.

A header can be coded wrongly in one place, which `wrong` names.
"""

from vector_writer.assemble import varint
from vector_writer.coded_names import NameCoder, spell
from vector_writer.coded_shapes import ShapeCoder
from vector_writer.coded_stream import LIKELY, Stream
from vector_writer.coded_texts import TextCoder

Field = tuple[str, bytes]

FIRST = {
    "features": 0, "dtype": 1, "kind_base": 0, "draw": 2, "kind_flags": 0, "index_codec": 15,
    "value_codec": 4,
}  # fmt: skip
NETWORK = """
 0 bn1.bias 16 3d20
 4 bn1.weight 16 3e55
 0 conv1.weight 16,3,3,3 3dc0
 4 conv2.bias 32 3d17
 6 conv2.weight 32,16,3,3 3e80
 0 fc1.bias 128 3d4d
 4 fc1.weight 128,2048 3e60
 2 fc2.bias 10 3df1
 4 fc2.weight 10,128 3d10
 0 layer1.0.conv1.weight 24,16,5,5 3d3f
"""


class HeaderCoder:
    """Codes fields one after another.

    Attributes
    ----------
    lefts : list of int
        For each length that is stored, the bytes of the file from where its section begins.
    """

    def __init__(self, lefts: list[int], stream: Stream) -> None:
        self.lefts = lefts
        self.stream = stream
        self.texts = TextCoder(stream)
        self.names = NameCoder(stream)
        self.shapes = ShapeCoder(stream)
        self.last = dict(FIRST)
        self.key = 0
        self.entry: dict[str, int] = {}
        self.kinds: list[dict[str, int]] = [{}]
        self.kind = 0
        self.after_kind: dict[int, int] = {}

    def code(self, name: str, data: bytes) -> None:
        """Code one field."""
        value = varint_value(data)
        if name in FIRST:
            self.stream.guess(name, value, [self.last[name]], LIKELY)
            self.last[name] = self.entry[name] = value
            if name == "value_codec":
                self.kinds.append(self.entry)
                self.entry = {}
        elif name in ("free_key", "metadata_value", "base_hint"):
            start = next(n for n, byte in enumerate(data) if byte < 128) + 1
            self.texts.code(data[start:], self.key if name == "metadata_value" else 0)
        elif name == "name":
            start = next(n for n, byte in enumerate(data) if byte < 128) + 1
            self.names.code(varint_value(data[:start]), data[start:])
        elif name == "rank":
            self.shapes.rank_of(value, self.names.end)
        elif name == "dimension":
            self.shapes.dimension(value)
        elif name in ("index_length", "values_length"):
            self.stream.guess(name, value, [self.lefts.pop(0)])
        elif name in ("metadata_key", "tensor_kind", "stream"):
            getattr(self, f"code_{name}")(value)
        elif name == "scale":
            self.shapes.scale(int.from_bytes(data, "little"))
        elif name == "tail":
            self.code_tail(int.from_bytes(data, "little"))
        elif name == "value_parameter":
            self.code_parameter(data)
        elif name == "base_digest":
            self.stream.raw(64, int.from_bytes(data, "big"))
        else:
            self.stream.number(name, value)

    def code_metadata_key(self, value: int) -> None:
        """Code the number of a key."""
        self.stream.guess("metadata_key", value, [self.key + 1, 0])
        self.key = value

    def code_tensor_kind(self, value: int) -> None:
        """Code the kind of a record."""
        new = max([0, *self.after_kind, *self.after_kind.values()]) + 1
        guesses = [self.after_kind.get(self.kind), new if new < len(self.kinds) else None]
        self.stream.guess("tensor_kind", value, [*guesses, self.kind])
        self.after_kind[self.kind] = self.kind = value

    def code_tail(self, value: int) -> None:
        """Code the tail of a truncated normal."""
        wrong = 2**32 if self.stream.wrong == "long tail" else value
        self.stream.guess("tail", wrong, [self.last.get("tail")])
        self.last["tail"] = value

    def code_stream(self, value: int) -> None:
        """Code the number of a stream."""
        before = self.last.get("stream")
        self.stream.guess("stream", value, [None if before is None else before + 1])
        self.last["stream"] = value

    def code_parameter(self, data: bytes) -> None:
        """Code what a value codec keeps in the record."""
        kind = self.kinds[self.kind]
        if kind["value_codec"] != 4:
            self.stream.raw(8 * len(data), int.from_bytes(data, "big"))
        elif kind.get("draw") in (1, 2, 3):
            self.stream.raw(8, data[0])
            shift = 256 if self.stream.wrong == "long shift" else data[1]
            self.stream.guess("shift", shift, [self.last.get("shift")])
            self.last["shift"] = data[1]
        else:
            pattern = int.from_bytes(data, "little")
            self.shapes.exponent("grid", pattern >> 7)
            self.shapes.mantissa("grid", pattern & 127, 7)


def varint_value(data: bytes) -> int:
    """Return the number of a varint."""
    return sum((byte & 127) << 7 * place for place, byte in enumerate(data))


def primed_counts() -> dict[object, list[int]]:
    """Return what has been learned before the first field."""
    coder = HeaderCoder([], Stream())
    for name, value in (
        ("base_count", 0), ("kind_count", 1), ("dtype", 1), ("kind_base", 0), ("kind_flags", 0),
        ("index_codec", 15), ("value_codec", 4), ("tensor_count", 10),
    ):  # fmt: skip
        coder.code(name, bytes([value]))
    for row in NETWORK.split("\n")[1:-1]:
        shared, name, shape, parameter = row.split()
        coder.code("tensor_kind", b"\x01")
        coder.code("name", bytes([int(shared)]) + spell(name.encode()[int(shared) :]))
        dimensions = [int(number) for number in shape.split(",")]
        coder.code("rank", bytes([len(dimensions)]))
        for number in dimensions:
            coder.code("dimension", varint(number))
        coder.code("value_parameter", bytes.fromhex(parameter)[::-1])
    return coder.stream.counts


def code_header(fields: list[Field], lefts: list[int], features: int = 0, wrong: str = "") -> bytes:
    """Return the coded form of a header; the digest is its last field."""
    coder = HeaderCoder(lefts, Stream(counts=primed_counts(), wrong=wrong))
    coder.code("features", bytes([features]))
    for name, data in fields:
        if name != "digest":
            coder.code(name, data)
    return coder.stream.finish() + b"".join(data for name, data in fields if name == "digest")
