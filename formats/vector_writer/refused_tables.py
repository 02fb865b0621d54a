"""Broken preambles and tables: metadata, bases, kinds."""

from vector_writer.assemble import text, u32, u64, varint
from vector_writer.bases import kind, rich
from vector_writer.edits import (
    Refusal,
    both,
    cut,
    head,
    insert,
    keep_lengths,
    payload,
    put,
    trailing,
)

_TOO_MUCH = varint(2**63)
_SEED = [("base_kind", varint(1)), ("base_seed", varint(8))]
_FILE = [("base_kind", varint(2)), ("base_digest", u64(3)), ("base_hint", text(b"\xff"))]
_NUMBERED = [("metadata_key", varint(4)), ("metadata_value", text(b"snip"))]
_FREE = [("metadata_key", varint(0)), ("free_key", text(b"note")), ("metadata_value", text(b""))]

PREAMBLE = (
    Refusal("magic", "not freezepack", "magic", head("magic", b"\x89FPL")),
    Refusal("version", "version", "version", head("version", b"\x02")),
    Refusal("features", "version", "features", head("features", b"\x02")),
    Refusal("header-limit", "limit", "header_length", head("header_length", varint(2**26 + 1))),
    Refusal(
        "header-short", "truncated", "header", keep_lengths(both(payload(0, b""), cut("digest"))),
        at="metadata_count",
    ),
    Refusal("payload-short", "truncated", "payload", keep_lengths(payload(21, b""))),
    Refusal("payload-long", "corrupt", "payload", trailing(b"\0"), shift=22),
    Refusal("checksum", "corrupt", "checksum", head("checksum", u32(0))),
    Refusal("varint-long", "corrupt", "base_seed", put("base_seed", b"\x80" * 10 + b"\1")),
    Refusal("varint-padded", "corrupt", "metadata_count", put("metadata_count", b"\x82\0")),
    Refusal("varint-limit", "limit", "dimension", put("dimension", _TOO_MUCH)),
    Refusal(
        "varint-cut", "truncated", "base_seed", both(cut("kind_count"), put("base_seed", b"\x80"))
    ),
    Refusal("field-cut", "truncated", "scale", cut("scale"), at="payload"),
    Refusal("text-limit", "limit", "metadata_value", put("metadata_value", 65_537)),
    Refusal("text-cut", "truncated", "metadata_value", put("metadata_value", 65_536)),
    Refusal("text-utf8", "corrupt", "metadata_value", put("metadata_value", text(b"\xed\xa0\x80"))),
    Refusal("text-nul", "corrupt", "metadata_value", put("metadata_value", text(b"a\0b"))),
)  # fmt: skip

TABLES = (
    Refusal("metadata-limit", "limit", "metadata_count", put("metadata_count", 1025)),
    Refusal("metadata-unknown", "version", "metadata_key", put("metadata_key", 99)),
    Refusal("free-key-empty", "corrupt", "free_key", put("free_key", text(b""))),
    Refusal("free-key-numbered", "corrupt", "free_key", put("free_key", text(b"score"))),
    Refusal(
        "free-key-twice", "corrupt", "free_key",
        both(put("metadata_count", 3), insert("base_count", _FREE)), nth=1,
    ),
    Refusal(
        "metadata-order", "corrupt", "metadata_key",
        both(put("metadata_count", 3), insert("base_count", _NUMBERED)), nth=2,
    ),
    Refusal(
        "metadata-twice", "corrupt", "metadata_key",
        both(put("metadata_count", 3), put("metadata_key", 4), insert("metadata_key", _NUMBERED)),
        nth=1,
    ),
    Refusal("base-limit", "limit", "base_count", put("base_count", 256)),
    Refusal("base-unknown", "version", "base_kind", put("base_kind", 4)),
    Refusal("seed-limit", "limit", "base_seed", put("base_seed", 2**64)),
    Refusal("hint-utf8", "corrupt", "base_hint", insert("base_kind", _FILE)),
    Refusal("base-twice", "corrupt", "base_kind", put("base_seed", 7), nth=1, base=rich),
    Refusal("kind-limit", "limit", "kind_count", put("kind_count", 4097)),
    Refusal("dtype-unknown", "version", "dtype", put("dtype", 32)),
    Refusal("kind-base-range", "corrupt", "kind_base", put("kind_base", 2)),
    Refusal("kind-base-order", "corrupt", "kind_base", put("kind_base", 2), base=rich),
    Refusal("draw-unknown", "version", "draw", put("draw", 16)),
    Refusal("draw-dtype", "corrupt", "draw", put("dtype", 5, 1)),
    Refusal("kind-flags-unknown", "version", "kind_flags", put("kind_flags", 2)),
    Refusal("index-codec-unknown", "version", "index_codec", put("index_codec", 14)),
    Refusal("mask-base-range", "corrupt", "mask_base", put("mask_base", 3), base=rich),
    Refusal("mask-base-order", "corrupt", "mask_base", put("mask_base", 2), base=rich),
    Refusal("mask-base-seed", "corrupt", "mask_base", put("mask_base", 0), base=rich),
    Refusal("kind-flags-stream", "corrupt", "kind_flags", put("kind_flags", 1)),
    Refusal("value-codec-unknown", "version", "value_codec", put("value_codec", 99)),
    Refusal(
        "value-codec-none", "corrupt", "value_codec", put("value_codec", 2, 2), nth=2, base=rich
    ),
    Refusal(
        "kind-twice", "corrupt", "dtype",
        both(put("kind_count", 3), insert("tensor_count", kind(1, 0, None, 0, 1, None, 0))), nth=2,
    ),
    Refusal(
        "base-unused", "corrupt", "base_count",
        both(put("base_count", 2), insert("kind_count", _SEED)),
    ),
)  # fmt: skip
