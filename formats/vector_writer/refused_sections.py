"""Broken sections and digests: files that can be opened, but not loaded."""

from vector_writer.assemble import u32, u64
from vector_writer.bases import GAPS, PLANES, coded, large, plain, rich
from vector_writer.edits import Edit, Refusal, both, payload, put

_FRAME = len(GAPS) + 2


def _section(rule: str, kind: str, field: str, edit: Edit, shift: int = 0) -> Refusal:
    base = plain if rule.startswith("bitmap") else coded
    return Refusal(rule, kind, field, edit, 0, base, at="payload", shift=shift, stage="load")


def _gaps(data: str) -> Edit:
    stored = bytes.fromhex(data)
    return both(payload(0, stored, len(GAPS)), put("index_length", len(stored)))


def _planes(start: int, data: bytes, stop: int | None = None) -> Edit:
    stored = PLANES[:start] + data + (b"" if stop is None else PLANES[stop:])
    return both(payload(len(GAPS), stored), put("values_length", len(stored)))


SECTIONS = (
    Refusal(
        "unit-checksum", "corrupt", "unit_checksum", payload(0, b"\1", 1), base=large, at="payload",
        stage="load",
    ),
    _section("bitmap-padding", "corrupt", "index", payload(12, b"\2\x14", 14), 13),
    _section("bitmap-count", "corrupt", "index", payload(12, b"\2\x0c", 14), 12),
    _section("gaps-short", "truncated", "index", _gaps("")),
    _section("gaps-cut", "truncated", "index", _gaps("96ab")),
    _section("gaps-long", "corrupt", "index", _gaps("96ab0100"), 3),
    _section("gaps-padding", "corrupt", "index", _gaps("96ab81"), 2),
    _section("gaps-past-end", "corrupt", "index", _gaps("16ae07")),
    _section("planes-short", "truncated", "values", _planes(1, b""), 3),
    _section("planes-mode", "corrupt", "values", _planes(0, b"\2", 1), 3),
    _section("planes-marks", "corrupt", "values", _planes(1, b"\x1f", 2), 4),
    _section("planes-no-marks", "corrupt", "values", _planes(1, b"\0", 2), 4),
    _section("planes-frame-short", "truncated", "values", _planes(7, b""), _FRAME),
    _section("planes-frame-magic", "corrupt", "values", _planes(2, b"\x29", 3), _FRAME),
    _section("planes-frame-flags", "corrupt", "values", _planes(6, b"\x24", 7), _FRAME + 4),
    _section("planes-frame-size", "corrupt", "values", _planes(7, b"\xc9", 8), _FRAME),
    _section("planes-frame-cut", "corrupt", "values", _planes(len(PLANES) - 1, b""), _FRAME),
    _section("planes-frame-long", "corrupt", "values", _planes(len(PLANES), b"\0"), _FRAME),
    Refusal("digest", "corrupt", "digest", put("digest", u64(1)), stage="load"),
    Refusal("digest-tensor", "corrupt", "digest", put("digest", u64(1)), base=large, stage="load"),
    Refusal("digest-scale", "corrupt", "digest", put("scale", u32(0x35000001)), stage="load"),
    Refusal(
        "digest-parameter", "corrupt", "digest", put("value_parameter", b"\x06"), base=rich,
        stage="load",
    ),
    Refusal("digest-stream", "corrupt", "digest", put("stream", 41), base=rich, stage="load"),
)  # fmt: skip
