"""Small correct files, one for each codec with a chapter of its own; see bases.py."""

import zlib

import numpy as np
from numpy.typing import NDArray

from freezepack.digest import content_digest, digest
from freezepack.random import fill_raw
from freezepack.types import Draw, DType, Init, RawArray, TensorSpec
from vector_writer.assemble import Assembly, u32, u64, varint
from vector_writer.bases import SCALE, kind

ONE = 0x3F800000
HAZARD = bytes.fromhex("9235")
TURNED = bytes.fromhex("9258")
PROBIT = bytes.fromhex("d63033")
FREE = bytes.fromhex("283603664a8200")
FREE_MARKED = [
    2, 5, 8, 9, 15, 18, 20, 34, 38, 45, 49, 58, 59, 62, 69, 72, 73, 74, 78, 88, 90, 91, 101,
    105, 107, 108, 122, 123, 131, 132, 138, 142, 147, 148, 149, 164, 165, 168, 171, 180, 181,
    182, 185, 188,
]  # fmt: skip
FLOAT = bytes.fromhex(
    "9601ff01cdcc0c0000303333030000022b07000000ffffffbb56080b85ee17628b8b24d36615"
)
FLOAT_VALUES = "3dcccccd be800000 3f333333 00000000 80000000 3d072b02 7f800000"
NEAR = bytes.fromhex("4181010186")
GRID = bytes.fromhex("11")
JOINT = bytes.fromhex("f8b343")
BF16 = bytes.fromhex("068f012b3000ffffc872c95b2dca")
FP16 = bytes.fromhex("091e550164f80fffff90e406ea1b0e")

_Fields = list[tuple[str, bytes]]


def hazard() -> Assembly:
    """Return positions 2 and 3 of two rows of eight, over zeros."""
    return _mask(5, HAZARD, (2, 8), [2, 3])


def hazard_turned() -> Assembly:
    """Return positions 2 and 10 of two rows of eight, over zeros."""
    return _mask(8, TURNED, (2, 8), [2, 10])


def probit() -> Assembly:
    """Return positions 2 and 3 of two rows of one kernel of nine, over zeros."""
    return _mask(9, PROBIT, (2, 1, 3, 3), [2, 3])


def free() -> Assembly:
    """Return the vector of masks.md: 44 of 200 positions, 40 of them known from the seed."""
    return _mask(7, FREE, (200,), FREE_MARKED, seeded=True)


def floats() -> Assembly:
    """Return the second vector of floats.md: seven values over zeros."""
    return _values(3, FLOAT, _bits(FLOAT_VALUES))


def floats_near() -> Assembly:
    """Return one value beside its base, which is 1.0."""
    return _values(3, NEAR, _bits("3f800005"), [("scale", u32(ONE))], Draw.constant)


def grid() -> Assembly:
    """Return 0.0, 0.75 and -0.25 on a grid of 0.25 over zeros."""
    values = _bits("00000000 3f400000 be800000")
    return _values(4, GRID, values, [("value_parameter", b"\x80\x3e")])


def grid_drawn() -> Assembly:
    """Return values that are 0, 3 and -1 steps of 200 * 2**14 away from a normal draw."""
    integers = np.empty(3, np.uint32)
    fill_raw(integers, DType.float32, key=7, init=Init(Draw.normal, ONE))
    k = integers.view(np.float32).astype(np.int64)
    step = np.array([SCALE + (14 << 23)], np.uint32).view(np.float32)
    values = ((k >> 14) + 200 * np.array([0, 3, -1])).astype(np.float32) * step
    record = [("scale", u32(SCALE)), ("value_parameter", bytes([200, 14]))]
    return _values(4, GRID, values.view(np.uint32), record, Draw.normal)


def bf16() -> Assembly:
    """Return the vector of grid.md, section 6."""
    return _values(5, BF16, _bits("3eab0000 c0000000 3a830000 47800000"))


def fp16() -> Assembly:
    """Return the vector of grid.md, section 6."""
    return _values(6, FP16, _bits("3eaaa000 c0000000 3a832000 477fe000"))


def joint() -> Assembly:
    """Return a run over zeros: the integers 0 0 0, 1 0 -2 and 0 1, on a grid of 1."""
    header = [
        ("metadata_count", varint(0)),
        ("base_count", varint(0)),
        ("kind_count", varint(1)),
        *kind(1, 0, None, 0, 15, None, 4),
        ("tensor_count", varint(2)),
        ("tensor_kind", varint(1)),
        ("name", b"\x00a\x00"),
        ("rank", varint(2)),
        ("dimension", varint(2)),
        ("dimension", varint(3)),
        ("value_parameter", b"\x80\x3f"),
        ("values_length", varint(len(JOINT))),
        ("tensor_kind", varint(1)),
        ("name", b"\x00b\x00"),
        ("rank", varint(1)),
        ("dimension", varint(2)),
        ("value_parameter", b"\x80\x3f"),
    ]
    first = np.array([0, 0, 0, 1, 0, -2], np.float32)
    second = np.array([0, 1], np.float32)
    specs = TensorSpec("a", (2, 3), DType.float32), TensorSpec("b", (2,), DType.float32)
    found = content_digest(zip(specs, map(digest, (first, second)), strict=True))
    return Assembly([*header, ("digest", u64(found))], JOINT)


def joint_drawn(section: bytes) -> Assembly:
    """Return a run of one vector of three positions over a normal draw, with m = 200, t = 14."""
    fields = kind(1, 1, Draw.normal, 0, 15, None, 4)
    record = [("scale", u32(SCALE)), ("value_parameter", bytes([200, 14]))]
    record.append(("values_length", varint(len(section))))
    spec = TensorSpec("a", (3,), DType.float32)
    return _one(spec, np.zeros(3, np.uint32), fields, record, section)


def joint_checked() -> Assembly:
    """Return the same run before 65,537 bytes that are stored whole."""
    content = bytes(65_537)
    assembly = joint()
    assembly.replace("kind_count", varint(2))
    assembly.insert("tensor_count", kind(11, 0, None, 0, 1, None, 0))
    assembly.replace("tensor_count", varint(3))
    place = assembly.place("values_length") + 1
    assembly.header.insert(place, ("unit_checksum", u32(zlib.crc32(JOINT))))
    fields = [
        ("tensor_kind", varint(2)),
        ("name", b"\x00c\x00"),
        ("rank", varint(1)),
        ("dimension", varint(len(content))),
        ("unit_checksum", u32(zlib.crc32(content))),
    ]
    assembly.insert("digest", fields)
    return Assembly([*assembly.header, *[("digest", u64(0))] * 2], JOINT + content)


def _mask(
    codec: int, section: bytes, shape: tuple[int, ...], marked: list[int], *, seeded: bool = False
) -> Assembly:
    """Return a uint8 tensor over zeros with 9 where it is marked; a seeded one has stream 3."""
    content = np.zeros(shape, np.uint8)
    content.flat[marked] = 9
    flags, seed = (1, 1) if seeded else (0, None)
    record = [("stream", varint(3))] if seeded else []
    record += [
        ("value_parameter", b"\x09"),
        ("count", varint(len(marked))),
        ("index_length", varint(len(section))),
    ]
    fields = kind(11, 0, None, flags, codec, seed, 2)
    return _one(TensorSpec("a", shape, DType.uint8), content, fields, record, section)


def _values(
    codec: int,
    section: bytes,
    values: NDArray[np.uint32],
    record: _Fields | None = None,
    draw: Draw | None = None,
) -> Assembly:
    """Return a float32 vector of which every value is trained, over zeros or a draw."""
    fields = kind(1, 0 if draw is None else 1, draw, 0, 1, None, codec)
    spec = TensorSpec("a", (values.size,), DType.float32)
    record = [*(record or []), ("values_length", varint(len(section)))]
    return _one(spec, values, fields, record, section)


def _one(
    spec: TensorSpec, content: RawArray, fields: _Fields, record: _Fields, section: bytes
) -> Assembly:
    """Return a file of one tensor; it has the seed 7 if its kind names a base."""
    named = ("kind_base", varint(1)) in fields or "mask_base" in dict(fields)
    bases = [("base_kind", varint(1)), ("base_seed", varint(7))] if named else []
    header = [
        ("metadata_count", varint(0)),
        ("base_count", varint(len(bases) // 2)),
        *bases,
        ("kind_count", varint(1)),
        *fields,
        ("tensor_count", varint(1)),
        ("tensor_kind", varint(1)),
        ("name", b"\x00a\x00"),
        ("rank", varint(len(spec.shape))),
        *(("dimension", varint(size)) for size in spec.shape),
        *record,
        ("digest", u64(content_digest([(spec, digest(content))]))),
    ]
    return Assembly(header, section)


def _bits(text: str) -> NDArray[np.uint32]:
    return np.array([int(word, 16) for word in text.split()], np.uint32)
