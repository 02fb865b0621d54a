import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from freezepack.codecs.base import BaseValues
from freezepack.codecs.planes import PLANES
from freezepack.errors import CorruptError, FormatError, TruncatedError
from freezepack.types import DType, RawArray

FRAME = bytes.fromhex("28b52ffd 20 04 210000 01020304".replace(" ", ""))
"""One raw block with the content 1 2 3 4."""
WORD = memoryview(b"\x00\x08")
"""Head: mode 0, the top plane is in the frame."""
PLAIN = bytes(12)


def decode(data: bytes, count: int = 4, dtype: DType = DType.float32) -> RawArray:
    return PLANES.decode(memoryview(data), dtype, count, None, 64)


def weights(size: int, seed: int = 0) -> RawArray:
    values = np.random.default_rng(seed).normal(0, 0.05, size).astype(np.float32)
    return values.view(np.uint32)


def packed(data: bytes, *, size: bool = True, checksum: bool = False) -> bytes:
    packer = zstandard.ZstdCompressor(write_content_size=size, write_checksum=checksum)
    return packer.compress(data)


def test_a_section_is_read_plane_by_plane() -> None:
    plain = bytes([0, 0, 0, 2]) + bytes(8)
    found = decode(bytes(WORD) + plain + FRAME)
    # The rotation is undone: bit 0 returns to the top.
    assert found.tolist() == [0x00800000, 0x01000000, 0x01800000, 0x02000001]


def test_trained_weights_shrink_and_come_back() -> None:
    values = weights(5000)
    data = PLANES.encode(values, DType.float32, None)
    assert data is not None
    assert len(data) < 0.87 * values.nbytes
    assert decode(data, 5000).tolist() == values.tolist()


def test_steps_from_the_base_are_taken_where_they_are_smaller() -> None:
    start = weights(5000)
    values = (start.view(np.float32) * np.float32(1.001)).view(np.uint32)
    base = BaseValues(lambda: start)
    data = PLANES.encode(values, DType.float32, base)
    alone = PLANES.encode(values, DType.float32, None)
    assert data is not None
    assert alone is not None
    assert data[0] == 1
    assert len(data) < 0.7 * len(alone)
    found = PLANES.decode(memoryview(data), DType.float32, 5000, base, 0)
    assert found.tolist() == values.tolist()


def test_steps_cross_zero_and_wrap() -> None:
    values = np.array([0x80000001, 0xFFFFFFFF, 0, 0x7FC00001] * 50, np.uint32)
    start = np.array([0x00000001, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000] * 50, np.uint32)
    base = BaseValues(lambda: start)
    data = PLANES.encode(values, DType.float32, base)
    assert data is not None
    assert PLANES.decode(memoryview(data), DType.float32, 200, base, 0).tolist() == values.tolist()
    forced = bytes([1, 1]) + bytes(12) + FRAME
    found = PLANES.decode(memoryview(forced), DType.float32, 4, BaseValues(lambda: start[:4]), 0)
    # Steps -1, 1, -2, 2 from 1 (float), the largest NaN, the lowest NaN, a NaN.
    assert found.tolist() == [0x00000000, 0xFFFFFFFF, 0x7FFFFFFE, 0x7FC00002]


def test_few_values_are_left_to_raw() -> None:
    assert PLANES.encode(weights(20), DType.float32, None) is None
    assert PLANES.encode(np.zeros(1, np.uint32), DType.float32, None) is None


def test_noise_is_left_to_raw() -> None:
    noise = np.random.default_rng(0).integers(0, 2**32, 3000, np.uint32)
    assert PLANES.encode(noise, DType.float32, None) is None


@given(st.sampled_from(list(DType)), st.integers(0, 2**32 - 1), st.integers(30, 200), st.booleans())
def test_every_element_type_comes_back(dtype: DType, seed: int, count: int, has_base: bool) -> None:
    rng = np.random.default_rng(seed)
    octets = rng.integers(0, 256, (2, count, dtype.itemsize), np.uint8)
    octets[:, :, dtype.itemsize // 2 :] = rng.integers(0, 256, dtype.itemsize - dtype.itemsize // 2)
    values, start = (np.ascontiguousarray(part).reshape(-1).view(dtype.raw) for part in octets)
    base = BaseValues(lambda: start) if has_base else None
    data = PLANES.encode(values, dtype, base)
    if data is None:
        return
    found = PLANES.decode(memoryview(data), dtype, count, base, 0)
    assert found.dtype == dtype.raw
    assert found.tobytes() == values.tobytes()


HEAD = bytes(WORD) + PLAIN
FLAWS: dict[str, tuple[type[FormatError], bytes, int]] = {
    "1 bytes left, expected 2": (TruncatedError, b"\x00", 64),
    "mode 2, expected 0 or 1": (CorruptError, b"\x02\x08" + PLAIN + FRAME, 64),
    "planes 0x00 of 4-byte words": (CorruptError, b"\x00\x00" + PLAIN + FRAME, 65),
    "planes 0x18 of 4-byte words": (CorruptError, b"\x00\x18" + PLAIN + FRAME, 65),
    "11 bytes left, expected 12": (TruncatedError, bytes(WORD) + PLAIN[:11], 64),
    "5 bytes left, expected a zstd frame": (TruncatedError, HEAD + FRAME[:5], 78),
    "found 502a4d18": (CorruptError, HEAD + bytes.fromhex("502a4d1804000000") + FRAME, 78),
    "frame descriptor 0x24 asks": (CorruptError, HEAD + packed(b"1234", checksum=True), 82),
    "declares 5 bytes, expected 4": (CorruptError, HEAD + packed(b"12345"), 78),
    "declares 18446744073709551615 bytes": (
        CorruptError,
        HEAD + packed(b"1234", size=False),
        78,
    ),
    "not one zstd frame": (CorruptError, HEAD + FRAME + b"\0", 78),
    "not one zstd frame: ": (CorruptError, HEAD + FRAME + FRAME, 78),
    "not one zstd frame:": (CorruptError, HEAD + FRAME[:-1], 78),
    "window of 16777216 bytes, expected at most 8388608": (
        CorruptError,
        HEAD + bytes.fromhex("28b52ffd 80 70 04000000 210000 01020304".replace(" ", "")),
        78,
    ),
}


@pytest.mark.parametrize("problem", FLAWS)
def test_every_flaw_is_named(problem: str) -> None:
    kind, data, offset = FLAWS[problem]
    with pytest.raises(kind) as caught:
        decode(data)
    assert problem in str(caught.value)
    assert (type(caught.value), caught.value.offset) == (kind, offset)


def test_a_frame_that_would_unpack_to_more_is_refused_before_it_is_unpacked() -> None:
    bomb = packed(bytes(1 << 20))
    with pytest.raises(CorruptError, match="declares 1048576 bytes, expected 4"):
        decode(HEAD + bomb)
    liar = bytearray(bomb)
    assert int.from_bytes(liar[5:9], "little") == 1 << 20
    liar[5:9] = (4).to_bytes(4, "little")
    with pytest.raises(CorruptError, match="not one zstd frame"):
        decode(HEAD + liar)
