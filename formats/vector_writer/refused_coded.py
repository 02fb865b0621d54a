"""Broken coded headers."""

from collections.abc import Callable
from dataclasses import replace

from vector_writer.assemble import Assembly, text, u32, u64, varint
from vector_writer.bases import SCALE, kind, plain, rich
from vector_writer.coded import code_header
from vector_writer.edits import Edit, Refusal, both, head, put


def _coded(base: Callable[[], Assembly] = plain) -> Callable[[], Assembly]:
    """Return what makes a file with a coded header."""

    def make() -> Assembly:
        assembly = base()
        assembly.code = lambda whole: code_header(whole.header, [len(whole.payload)])
        return assembly

    return make


def _wrong(what: str) -> Edit:
    """Code one thing as it must not be coded."""

    def edit(assembly: Assembly) -> None:
        assembly.code = lambda whole: code_header(whole.header, [len(whole.payload)], wrong=what)

    return edit


def _features(number: int) -> Edit:
    def edit(assembly: Assembly) -> None:
        assembly.code = lambda whole: code_header(whole.header, [], number)

    return edit


def _behind_stream(data: bytes) -> Edit:
    """Add bytes to the stream."""

    def edit(assembly: Assembly) -> None:
        def code(whole: Assembly) -> bytes:
            header = code_header(whole.header, [])
            return header[:-8] + data + header[-8:]

        assembly.code = code

    return edit


def _only(data: bytes) -> Edit:
    """Have other bytes in place of the coded header."""

    def edit(assembly: Assembly) -> None:
        assembly.code = lambda _: data

    return edit


def _layers() -> Assembly:
    """Return two layers: biases that are zeros, weights drawn with one factor."""
    header = [
        ("metadata_count", varint(0)),
        ("base_count", varint(1)),
        ("base_kind", varint(1)),
        ("base_seed", varint(7)),
        ("kind_count", varint(2)),
        *kind(1, 0, None, 0, 0, None, 0),
        *kind(1, 1, 2, 0, 0, None, 0),
        ("tensor_count", varint(4)),
    ]
    for shared, name, shape in (
        (0, b"a1\xa1", (2,)), (3, b"\xa2", (2, 3)), (1, b"2\xa1", (4,)), (3, b"\xa2", (4, 2)),
    ):  # fmt: skip
        header.append(("tensor_kind", varint(len(shape))))
        header.append(("name", varint(shared) + name))
        header.append(("rank", varint(len(shape))))
        header += [("dimension", varint(number)) for number in shape]
        if len(shape) == 2:
            header.append(("scale", u32(SCALE)))
    return Assembly([*header, ("digest", u64(0))])


def _huge() -> Assembly:
    """Return two tensors of 2**24 bytes together and one more: they have a digest each."""
    header = [
        ("metadata_count", varint(0)),
        ("base_count", varint(0)),
        ("kind_count", varint(1)),
        *kind(11, 0, None, 0, 0, None, 0),
        ("tensor_count", varint(2)),
    ]
    for name, size in ((b"\0a\0", 2**24), (b"\0b\0", 1)):
        header += [("tensor_kind", varint(1)), ("name", name), ("rank", varint(1))]
        header.append(("dimension", varint(size)))
    return Assembly([*header, ("digest", u64(0))])


def _grid() -> Assembly:
    """Return `plain` with trained values on a grid."""
    assembly = plain().replace("value_codec", varint(4), 1)
    assembly.insert("count", [("value_parameter", b"\x10\x08")])
    return assembly.insert("digest", [("values_length", varint(8))])


_BROKEN = (
    Refusal("coded-limit", "limit", "header_length", head("header_length", varint(16_385))),
    Refusal("coded-short", "truncated", "header", head("header_length", varint(100))),
    Refusal(
        "coded-payload", "corrupt", "payload",
        lambda assembly: setattr(assembly, "payload", bytes(65_537)),
    ),
    Refusal("coded-checksum", "corrupt", "checksum", head("checksum", u32(0))),
    Refusal("coded-digest", "truncated", "digest", _only(bytes(7))),
    Refusal("coded-digests", "truncated", "digest", both(), base=_huge, at="payload"),
    Refusal("coded-features", "version", "features", _features(2)),
    Refusal(
        "coded-fields", "limit", "metadata_value", put("metadata_value", text(b"z" * 16_385))
    ),
    Refusal("coded-padded", "corrupt", "header", _behind_stream(b"\0")),
    Refusal("coded-long", "corrupt", "header", _behind_stream(b"\1")),
    Refusal("coded-number", "corrupt", "tensor_count", _wrong("tensor_count")),
    Refusal("coded-guess", "corrupt", "tensor_kind", _wrong("tensor_kind")),
    Refusal(
        "coded-hex", "corrupt", "metadata_value",
        both(put("metadata_value", text(b"0123abcd")), _wrong("hex")),
    ),
    Refusal("coded-follower", "corrupt", "metadata_value", _wrong("follower")),
    Refusal("coded-ending", "corrupt", "name", _wrong("ending"), base=_layers),
    Refusal("coded-digit", "corrupt", "name", _wrong("numeral"), base=_layers),
    Refusal("coded-multiple", "corrupt", "dimension", _wrong("multiple"), base=_layers),
    Refusal("coded-same-scale", "corrupt", "scale", _wrong("same scale"), base=_layers),
    Refusal("coded-initializer", "corrupt", "scale", _wrong("initializer")),
    Refusal("coded-initializer-second", "corrupt", "scale", _wrong("second initializer")),
    Refusal("coded-exponent", "corrupt", "scale", _wrong("exponent")),
    Refusal("coded-tail", "corrupt", "tail", _wrong("long tail"), base=rich),
    Refusal("coded-shift", "corrupt", "value_parameter", _wrong("long shift"), base=_grid),
)  # fmt: skip
CODED = tuple(replace(refusal, base=_coded(refusal.base)) for refusal in _BROKEN)
