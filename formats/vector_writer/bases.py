"""Small correct files that refused vectors are made from by changing one thing."""

import zlib

import numpy as np

from freezepack.digest import content_digest, digest
from freezepack.random import fill_raw, smallest_words
from freezepack.types import Draw, DType, Init, TensorSpec
from vector_writer.assemble import Assembly, text, u32, u64, varint

SCALE = 0x35000000
TAIL = 195_422_145
BIAS = bytes(range(12))
POSITIONS = [1, 10]
VALUES = bytes(range(100, 108))
GAPS = bytes.fromhex("96ab01")
PLANES = bytes.fromhex("000f28b52ffd20c8a5000038000304007f8080061000042a1948a25dc21221")


def plain() -> Assembly:
    """Return metadata, a seed, `fc.bias` stored whole, `fc.weight` drawn with a bitmap."""
    weight = np.empty(12, np.uint32)
    fill_raw(weight, DType.float32, key=7, init=Init(Draw.normal, SCALE, 0, 1))
    weight[POSITIONS] = np.frombuffer(VALUES, np.uint32)
    model = content_digest(
        [
            (TensorSpec("fc.bias", (3,), DType.float32), digest(BIAS)),
            (TensorSpec("fc.weight", (3, 4), DType.float32), digest(weight)),
        ]
    )
    header = [
        ("metadata_count", varint(2)),
        ("metadata_key", varint(1)),
        ("metadata_value", text(b"net")),
        ("metadata_key", varint(0)),
        ("free_key", text(b"note")),
        ("metadata_value", text("größe".encode())),
        ("base_count", varint(1)),
        ("base_kind", varint(1)),
        ("base_seed", varint(7)),
        ("kind_count", varint(2)),
        *kind(1, 0, None, 0, 1, None, 0),
        *kind(1, 1, 2, 0, 2, None, 0),
        ("tensor_count", varint(2)),
        ("tensor_kind", varint(1)),
        ("name", bytes.fromhex("0081a1")),
        ("rank", varint(1)),
        ("dimension", varint(3)),
        ("tensor_kind", varint(2)),
        ("name", bytes.fromhex("03a2")),
        ("rank", varint(2)),
        ("dimension", varint(3)),
        ("dimension", varint(4)),
        ("scale", u32(SCALE)),
        ("count", varint(2)),
        ("digest", u64(model)),
    ]
    return Assembly(header, BIAS + bytes.fromhex("0204") + VALUES)


def rich() -> Assembly:
    """Return a seeded mask of a constant, an alias, a truncated normal with its own stream."""
    specs = [
        TensorSpec("a", (8,), DType.uint8),
        TensorSpec("c", (4,), DType.float32),
        TensorSpec("d", (0, 5), DType.float32),
    ]
    mask = smallest_words(9, 2**63, 0, 8, 3)
    first = np.zeros(8, np.uint8)
    first[mask] = 5
    drawn = np.empty(4, np.uint32)
    fill_raw(drawn, DType.float32, key=7, init=Init(Draw.truncated_normal, SCALE, TAIL, 40))
    contents = [first.tobytes(), drawn.tobytes(), b""]
    model = content_digest(zip(specs, map(digest, contents), strict=True))
    header = [
        ("metadata_count", varint(0)),
        ("base_count", varint(2)),
        ("base_kind", varint(1)),
        ("base_seed", varint(9)),
        ("base_kind", varint(1)),
        ("base_seed", varint(7)),
        ("kind_count", varint(3)),
        *kind(11, 0, None, 0, 4, 1, 2),
        *kind(1, 2, 3, 1, 0, None, 0),
        *kind(1, 0, None, 0, 0, None, 0),
        ("tensor_count", varint(4)),
        ("tensor_kind", varint(1)),
        ("name", b"\x00a\x00"),
        ("rank", varint(1)),
        ("dimension", varint(8)),
        ("value_parameter", b"\x05"),
        ("count", varint(3)),
        ("tensor_kind", varint(0)),
        ("name", b"\x00b\x00"),
        ("alias_target", varint(0)),
        ("tensor_kind", varint(2)),
        ("name", b"\x00c\x00"),
        ("rank", varint(1)),
        ("dimension", varint(4)),
        ("scale", u32(SCALE)),
        ("tail", u32(TAIL)),
        ("stream", varint(40)),
        ("tensor_kind", varint(3)),
        ("name", b"\x00d\x00"),
        ("rank", varint(2)),
        ("dimension", varint(0)),
        ("dimension", varint(5)),
        ("digest", u64(model)),
    ]
    return Assembly(header)


def empty() -> Assembly:
    """Return a file without tensors."""
    counts = ("metadata_count", "base_count", "kind_count", "tensor_count")
    return Assembly([*((count, varint(0)) for count in counts), ("digest", u64(0))])


def large() -> Assembly:
    """Return 65,537 bytes stored whole: units have checksums, tensors digests."""
    content = bytes(65_537)
    header = [
        ("metadata_count", varint(0)),
        ("base_count", varint(0)),
        ("kind_count", varint(1)),
        *kind(11, 0, None, 0, 1, None, 0),
        ("tensor_count", varint(1)),
        ("tensor_kind", varint(1)),
        ("name", b"\x00a\x00"),
        ("rank", varint(1)),
        ("dimension", varint(len(content))),
        ("unit_checksum", u32(zlib.crc32(content))),
        ("digest", u64(digest(content))),
    ]
    return Assembly(header, content)


_KIND = ("dtype", "kind_base", "draw", "kind_flags", "index_codec", "mask_base", "value_codec")


def kind(*numbers: int | None) -> list[tuple[str, bytes]]:
    """Return the fields of one kind, `_KIND` in order; None leaves a field out."""
    pairs = zip(_KIND, numbers, strict=True)
    return [(name, varint(number)) for name, number in pairs if number is not None]


def coded() -> Assembly:
    """Return a mask as gaps and 50 values as planes; the sections are examples of codecs.md."""
    ones = bytes.fromhex("0000803f" * 20 + "010080bf" * 20 + "02000040" * 10)
    first = bytearray(50)
    for position in (3, 17, 40):
        first[position] = 9
    model = content_digest(
        [
            (TensorSpec("a", (50,), DType.uint8), digest(first)),
            (TensorSpec("b", (50,), DType.float32), digest(ones)),
        ]
    )
    header = [
        ("metadata_count", varint(0)),
        ("base_count", varint(0)),
        ("kind_count", varint(2)),
        *kind(11, 0, None, 0, 3, None, 2),
        *kind(1, 0, None, 0, 1, None, 1),
        ("tensor_count", varint(2)),
        ("tensor_kind", varint(1)),
        ("name", b"\x00a\x00"),
        ("rank", varint(1)),
        ("dimension", varint(50)),
        ("value_parameter", b"\x09"),
        ("count", varint(3)),
        ("index_length", varint(len(GAPS))),
        ("tensor_kind", varint(2)),
        ("name", b"\x00b\x00"),
        ("rank", varint(1)),
        ("dimension", varint(50)),
        ("values_length", varint(len(PLANES))),
        ("digest", u64(model)),
    ]
    return Assembly(header, GAPS + PLANES)
