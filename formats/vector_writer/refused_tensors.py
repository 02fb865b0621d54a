"""Broken tensor tables."""

from vector_writer.assemble import Assembly, u32, u64, varint
from vector_writer.bases import empty, kind, plain, rich
from vector_writer.edits import Edit, Refusal, append, both, insert, payload, put


def _second_name(spelled: str) -> Edit:
    return put("name", bytes.fromhex(spelled), 1)


def _half_float() -> Assembly:
    """Return `plain` with a weight of type float16."""
    return plain().replace("dtype", varint(2), 1)


def _long_names() -> Assembly:
    """Return an empty tensor and aliases of it: 2**14 + 1 names of 1,024 bytes."""
    header = [
        ("metadata_count", varint(0)),
        ("base_count", varint(0)),
        ("kind_count", varint(1)),
        *kind(11, 0, None, 0, 0, None, 0),
        ("tensor_count", varint(2**14 + 1)),
        ("tensor_kind", varint(1)),
        ("name", b"\x00" + b"x" * 1021 + b"000\x00"),
        ("rank", varint(1)),
        ("dimension", varint(0)),
    ]
    digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for number in range(1, 2**14 + 1):
        spelled = bytes(digits[number // power % 36] for power in (36**2, 36, 1))
        shared = 2 if number % 36 else 1 if number % 36**2 else 0
        header.append(("tensor_kind", varint(0)))
        header.append(("name", varint(1021 + shared) + spelled[shared:] + b"\x00"))
        header.append(("alias_target", varint(0)))
    return Assembly([*header, ("digest", u64(0))])


_ALIAS = [("tensor_kind", varint(0)), ("name", b"\0bb\0"), ("alias_target", varint(1))]

TENSORS = (
    Refusal("tensor-limit", "limit", "tensor_count", put("tensor_count", 2**18 + 1)),
    Refusal("tensor-kind-range", "corrupt", "tensor_kind", put("tensor_kind", 3, 1), nth=1),
    Refusal("tensor-kind-order", "corrupt", "tensor_kind", put("tensor_kind", 2)),
    Refusal("alias-later", "corrupt", "alias_target", put("alias_target", 1), base=rich),
    Refusal(
        "alias-of-alias", "corrupt", "alias_target",
        both(put("tensor_count", 5), put("name", b"\1b\0", 1), insert("tensor_kind", _ALIAS, 2)),
        nth=1, base=rich,
    ),
    Refusal("rank-limit", "limit", "rank", put("rank", 33)),
    Refusal("dimension-limit", "limit", "dimension", put("dimension", 2**61 - 1, 2), nth=2),
    Refusal(
        "dimension-limit-zero", "limit", "dimension",
        both(put("dimension", 0, 1), put("dimension", 2**61, 2)), nth=2,
    ),
    Refusal(
        "total-limit", "limit", "rank",
        both(put("dimension", 2**60), put("dimension", 1, 1), put("dimension", 2**60, 2)), nth=1,
    ),
    Refusal("scale-range", "corrupt", "scale", put("scale", u32(0x7F800000))),
    Refusal("scale-sign", "corrupt", "scale", put("scale", u32(0xB5000000))),
    Refusal("scale-infinite", "corrupt", "scale", put("scale", u32(0x47000000)), base=_half_float),
    Refusal("tail", "corrupt", "tail", put("tail", u32(0)), base=rich),
    Refusal("stream-default", "corrupt", "stream", put("stream", 1), base=rich),
    Refusal("stream-limit", "limit", "stream", put("stream", 2**63), base=rich),
    Refusal(
        "kind-unused", "corrupt", "tensor_count",
        both(put("kind_count", 3), insert("tensor_count", kind(11, 0, None, 0, 1, None, 0))),
    ),
    Refusal(
        "units-limit", "limit", "units",
        both(put("dimension", 2**41 + 1, 1), put("dimension", 1, 2)), at="count",
    ),
    Refusal(
        "units", "corrupt", "units", both(put("dimension", 2**41, 1), put("dimension", 1, 2)),
        at="count",
    ),
    Refusal("count", "corrupt", "count", put("count", 13)),
    Refusal("trained-none", "corrupt", "tensor_kind", put("count", 0), nth=1),
    Refusal("trained-all", "corrupt", "tensor_kind", put("count", 12), nth=1),
    Refusal("trained-empty", "corrupt", "tensor_kind", put("dimension", 0)),
    Refusal("digest-empty", "corrupt", "digest", put("digest", u64(1)), base=empty),
    Refusal("header-long", "corrupt", "header", append(b"\0"), at="trailing"),
    Refusal("sections-short", "corrupt", "payload", payload(22, b"\0")),
    Refusal("sections-long", "corrupt", "payload", payload(21, b"")),
)  # fmt: skip

NAMES = (
    Refusal("name-beginning", "corrupt", "name", _second_name("08a2"), nth=1),
    Refusal("name-ending-unknown", "version", "name", _second_name("03b0"), nth=1),
    Refusal("name-byte", "corrupt", "name", _second_name("03ff808080"), nth=1),
    Refusal("name-utf8", "corrupt", "name", _second_name("03e08080a2"), nth=1),
    Refusal(
        "name-cut-character",
        "corrupt",
        "name",
        both(put("name", b"\0\xc3\xa9\xa1"), _second_name("01a2")),
        nth=1,
    ),
    Refusal("name-limit", "limit", "name", _second_name("03" + "61" * 1022 + "00"), nth=1),
    Refusal("name-shared-limit", "limit", "name", put("name", varint(1025))),
    Refusal("names-limit", "limit", "name", both(), nth=2**14, base=_long_names),
    Refusal("name-empty", "corrupt", "name", put("name", b"\0\0")),
    Refusal("name-reserved", "corrupt", "name", put("name", b"\0__metadata__\0")),
    Refusal("name-order", "corrupt", "name", _second_name("00613100"), nth=1),
    Refusal("name-twice", "corrupt", "name", _second_name("0700"), nth=1),
    Refusal("name-spelling-word", "corrupt", "name", _second_name("0377656967687400"), nth=1),
    Refusal("name-spelling-ending", "corrupt", "name", _second_name("039e00"), nth=1),
    Refusal("name-spelling-shared", "corrupt", "name", _second_name("0081a0"), nth=1),
)
