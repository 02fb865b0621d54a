import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack import native
from freezepack.digest import content_digest, digest, digest_tiles
from freezepack.types import DType, TensorSpec

needs_kernel = pytest.mark.skipif(native.library() is None, reason=native.status())
BACKENDS = ["numpy", pytest.param("native", marks=needs_kernel)]
KNOWN = [
    (b"", 0),
    (b"\0", 0x156F1AC231A8BD3E),
    (b"abc", 0x243C125AA37010A4),
    (bytes(range(256)) * 20, 0x97951969CD32D01D),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("data", "expected"), KNOWN)
def test_known_digests(data: bytes, expected: int, backend: str) -> None:
    assert digest_tiles(data, 0, backend) == expected


@needs_kernel
@given(st.integers(0, 20_000), st.integers(0, 2**40), st.integers(0, 2**32 - 1))
def test_the_kernel_equals_the_reference(size: int, first_tile: int, seed: int) -> None:
    data = np.random.default_rng(seed).integers(0, 256, size, np.uint8)
    assert digest_tiles(data, first_tile, "native") == digest_tiles(data, first_tile, "numpy")


@pytest.mark.parametrize("backend", BACKENDS)
@given(size=st.integers(0, 300_000), cut=st.integers(0, 73))
def test_parts_add_up(size: int, cut: int, backend: str) -> None:
    data = (np.arange(size) * 77 >> 3).astype(np.uint8)
    head = digest_tiles(data[: cut * 4096], 0, backend)
    tail = digest_tiles(data[cut * 4096 :], cut, backend)
    assert (head + tail) % 2**64 == digest_tiles(data, 0, backend)


def test_threads_change_nothing() -> None:
    data = np.arange(6_000_001, dtype=np.uint32)
    before = native.get_num_threads()
    native.set_num_threads(2)
    found = digest(data)
    native.set_num_threads(before)
    parts = [digest_tiles(data[i : i + 1024], i // 1024) for i in range(0, data.size, 1024)]
    assert found == sum(parts) % 2**64


@given(st.integers(0, 9999), st.integers(0, 7))
def test_every_flipped_bit_is_noticed(place: int, bit: int) -> None:
    data = np.arange(10_000, dtype=np.uint32).astype(np.uint8)
    before = digest(data)
    data[place] ^= 1 << bit
    assert digest(data) != before


def test_zeros_at_the_end_count_by_tiles() -> None:
    assert digest(bytes(4095)) == digest(bytes(4096))
    assert digest(bytes(4096)) != digest(bytes(4097))


def test_exchanged_tiles_are_noticed() -> None:
    assert digest(b"a" * 4096 + b"b" * 4096) != digest(b"b" * 4096 + b"a" * 4096)


@pytest.mark.parametrize("data", [b"abc", bytearray(b"abc"), memoryview(b"abc")])
def test_any_bytes_are_taken(data: bytes) -> None:
    assert digest(data) == 0x243C125AA37010A4


def test_arrays_are_digested_as_their_bytes() -> None:
    array = np.arange(12, dtype=np.float64).reshape(3, 4)
    assert digest(array) == digest(array.tobytes())
    assert digest(np.zeros(2, "V16")) == digest(bytes(32))
    assert digest(np.float32(1.5).reshape(())) == digest(np.float32(1.5).tobytes())
    assert digest(np.empty((0, 3), np.int64)) == 0


def test_a_strided_array_is_refused() -> None:
    with pytest.raises(ValueError, match="data is not contiguous: digest a contiguous copy"):
        digest(np.zeros((3, 4)).T)


def test_content_digest_of_known_tensors() -> None:
    item = (TensorSpec("w", (1, 3), DType.uint8), 0x243C125AA37010A4)
    assert content_digest([item]) == 0xF1E348F9A796863B
    assert content_digest([item]) == digest(bytes.fromhex("01770b020103a41070a35a123c24"))
    assert content_digest([]) == 0


def test_content_digest_notices_every_part() -> None:
    items = [
        (TensorSpec("a", (200, 3), DType.float32), 1),
        (TensorSpec("b", (200, 3), DType.float32), 1),
        (TensorSpec("a", (3, 200), DType.float32), 1),
        (TensorSpec("a", (600,), DType.float32), 1),
        (TensorSpec("a", (200, 3), DType.int32), 1),
        (TensorSpec("a", (200, 3), DType.float32), 2),
    ]
    found = {content_digest([item]) for item in items}
    assert len(found) == 6
    assert content_digest(items[:2]) != content_digest(items[1::-1])


def test_a_kernel_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", "0")
    with pytest.raises(ValueError, match="backend 'native' is not available: numpy: FREEZEPACK"):
        digest_tiles(b"", 0, "native")
