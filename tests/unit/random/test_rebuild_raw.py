from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezepack import native
from freezepack.digest import digest, digest_tiles
from freezepack.random import fill_raw
from freezepack.random.raw import rebuild_raw
from freezepack.types import Draw, DType, Init
from tests.unit.random.test_raw import FLOATS, SEEDS, inits

ZEROS = Init(Draw.constant, 0)
NORMAL = Init(Draw.normal, 0x35000000, stream=3)
all_examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["numpy", *native.instruction_sets()])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    before = native.get_instruction_set()
    if before is None or request.param == "numpy":
        yield "numpy"
        return
    native.set_instruction_set(request.param)
    yield "native"
    native.set_instruction_set(before)


def some(size: int, seed: int) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    return np.flatnonzero(np.random.default_rng(seed).random(size) < 0.1).astype(np.uint32)


@all_examples
@given(inits(), FLOATS, SEEDS, st.integers(0, 2**20), st.integers(0, 9000))
def test_base_patch_and_digest_are_those_of_three_passes(  # noqa: PLR0917
    backend: str, init: Init, dtype: DType, seed: int, tile: int, size: int
) -> None:
    start = tile * 4096 // dtype.itemsize
    positions = some(size, seed)
    values = (positions * 77).astype(dtype.raw)
    expected = np.empty(size, dtype.raw)
    fill_raw(expected, dtype, key=seed, init=init, start=start, backend="numpy")
    expected[positions] = values
    out = np.empty(size, dtype.raw)
    found = rebuild_raw(
        out,
        dtype,
        key=seed,
        init=init,
        start=start,
        positions=positions,
        values=values,
        digest=True,
        backend=backend,
    )
    assert out.tobytes() == expected.tobytes()
    assert found == digest_tiles(expected, tile, "numpy")


@all_examples
@given(st.integers(0, 2**40), st.integers(0, 3000))
def test_without_a_digest_any_start_will_do(backend: str, start: int, size: int) -> None:
    positions = some(size, start)
    values = positions.copy()
    out, expected = np.empty(size, np.uint32), np.empty(size, np.uint32)
    place = {"key": 5, "init": NORMAL, "start": start}
    fill_raw(expected, DType.float32, backend="numpy", **place)  # type: ignore[arg-type]
    expected[positions] = values
    patch = {"positions": positions, "values": values}
    found = rebuild_raw(out, DType.float32, backend=backend, **place, **patch)  # type: ignore[arg-type]
    assert found == 0
    assert out.tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", list(DType))
def test_zeros_and_what_is_there_serve_every_element_type(backend: str, dtype: DType) -> None:
    size = 3 * 4096 // dtype.itemsize + 5
    for init in (ZEROS, None):
        out = np.full(size * dtype.itemsize, 7, np.uint8).view(dtype.raw)
        expected = np.zeros_like(out) if init else out.copy()
        positions = np.array([0, 9, size - 1], np.uint32)
        values = np.arange(1, 3 * dtype.itemsize + 1, dtype=np.uint8).view(dtype.raw)
        expected[positions] = values
        found = rebuild_raw(
            out,
            dtype,
            key=0,
            init=init,
            start=0,
            positions=positions,
            values=values,
            digest=True,
            backend=backend,
        )
        assert out.tobytes() == expected.tobytes()
        assert found == digest(expected)


def test_parts_of_a_tensor_add_up(backend: str) -> None:
    whole, parts = np.empty(10_000, np.uint16), np.empty(10_000, np.uint16)
    total = 0
    for begin, end in [(0, 2048), (2048, 6144), (6144, 10_000)]:
        total += rebuild_raw(
            parts[begin:end],
            DType.bfloat16,
            key=1,
            init=NORMAL,
            start=begin,
            digest=True,
            backend=backend,
        )
    fill_raw(whole, DType.bfloat16, key=1, init=NORMAL)
    assert parts.tolist() == whole.tolist()
    assert total % 2**64 == digest(whole)


def test_wrong_patches_are_refused(backend: str) -> None:
    out = np.zeros(4, np.uint32)

    def run(positions: object, values: object) -> None:
        rebuild_raw(
            out,
            DType.float32,
            key=0,
            init=None,
            start=0,
            positions=positions,  # type: ignore[arg-type]
            values=values,  # type: ignore[arg-type]
            backend=backend,
        )

    two = np.array([1, 2], np.uint32)
    with pytest.raises(ValueError, match="last position is 4, expected 0 to 3"):
        run(np.array([1, 4], np.uint32), two)
    for wrong in ([2, 2], [3, 1]):
        with pytest.raises(ValueError, match="positions do not increase"):
            run(np.array(wrong, np.uint32), two)
    with pytest.raises(ValueError, match=r"values have dtype uint32 and shape \(1,\), expected"):
        run(two, two[:1])
    with pytest.raises(ValueError, match=r"values have dtype uint16 and shape \(2,\), expected"):
        run(two, two.astype(np.uint16))
    with pytest.raises(ValueError, match=r"positions have dtype int64 and shape \(2,\), expected"):
        run(two.astype(np.int64), two)
    with pytest.raises(ValueError, match="positions are not contiguous: give a copy"):
        run(np.arange(4, dtype=np.uint32)[::2], two)
    with pytest.raises(ValueError, match="values are given without positions, or positions with"):
        run(two, None)
    assert out.tolist() == [0, 0, 0, 0]


def test_other_wrong_arguments_are_refused(backend: str) -> None:
    out = np.zeros(4, np.uint32)
    with pytest.raises(ValueError, match="start is 1000, expected the first element of a tile"):
        rebuild_raw(out, DType.float32, key=0, init=None, start=1000, digest=True, backend=backend)
    with pytest.raises(ValueError, match="dtype is int32, expected float32, float16"):
        rebuild_raw(out, DType.int32, key=0, init=NORMAL, start=0, backend=backend)
