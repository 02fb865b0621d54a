import ctypes
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezepack import native
from freezepack.errors import FreezepackError
from freezepack.random import fill_raw, words
from freezepack.types import Draw, DType, Init

needs_kernel = pytest.mark.skipif(native.library() is None, reason=native.status())
FLOATS = st.sampled_from([DType.float32, DType.float16, DType.bfloat16, DType.float64])
SEEDS = st.integers(0, 2**64 - 1)


@st.composite
def inits(draw: st.DrawFn) -> Init:
    kind = draw(st.sampled_from(Draw))
    # Up to 2**-9 for k, so that float16 is in its range; now and then subnormal there.
    high = 0x47000000 if kind in (Draw.sign, Draw.constant) else 0x3B000000
    bits = draw(st.integers(0x00800000, high))
    tail = draw(st.integers(1, 2**32 - 1)) if kind == Draw.truncated_normal else 0
    return Init(kind, bits, tail, draw(st.integers(0, 2**63 - 1)))


@st.composite
def starts(draw: st.DrawFn) -> int:
    near = draw(st.sampled_from([0, 4096, 2**31, 2**32, 2**37, 2**40, 2**62]))
    return near + draw(st.integers(0, 5000))


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = native.get_num_threads()
    native.set_num_threads(2)
    yield
    native.set_num_threads(before)


@needs_kernel
@given(inits(), FLOATS, SEEDS, starts(), st.integers(0, 9000))
def test_the_kernel_equals_the_reference(
    init: Init, dtype: DType, seed: int, start: int, size: int
) -> None:
    found = np.empty(size, dtype.raw)
    expected = np.empty(size, dtype.raw)
    fill_raw(found, dtype, key=seed, init=init, start=start, backend="native")
    fill_raw(expected, dtype, key=seed, init=init, start=start, backend="numpy")
    assert found.tobytes() == expected.tobytes()


@needs_kernel
@given(SEEDS, SEEDS, starts(), st.integers(0, 9000))
def test_the_words_of_the_kernel_equal_the_reference(
    key: int, stream: int, start: int, size: int
) -> None:
    found, expected = np.empty(size, np.uint32), np.empty(size, np.uint32)
    words(found, key=key, stream=stream, start=start, backend="native")
    words(expected, key=key, stream=stream, start=start, backend="numpy")
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=needs_kernel)])
@given(inits(), FLOATS, st.integers(0, 2000), st.integers(0, 2000))
@settings(max_examples=30)
def test_a_slice_equals_that_part_of_the_whole(
    backend: str, init: Init, dtype: DType, begin: int, size: int
) -> None:
    whole, part = np.empty(4000, dtype.raw), np.empty(size, dtype.raw)
    fill_raw(whole, dtype, key=1, init=init, start=2**40, backend=backend)
    fill_raw(part, dtype, key=1, init=init, start=2**40 + begin, backend=backend)
    assert part.tobytes() == whole[begin : begin + size].tobytes()


@pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=needs_kernel)])
@pytest.mark.parametrize("draw", [Draw.normal, Draw.sign])
@pytest.mark.usefixtures("two_threads")
def test_threads_change_nothing(backend: str, draw: Draw) -> None:
    init = Init(draw, 0x35000000, stream=9)
    size = 600_001
    found, expected = np.empty(size, np.uint32), np.empty(size, np.uint32)
    fill_raw(found, DType.float32, key=4, init=init, start=3, backend=backend)
    native.set_num_threads(1)
    fill_raw(expected, DType.float32, key=4, init=init, start=3, backend=backend)
    assert (found == expected).all()


@pytest.mark.parametrize("draw", Draw)
def test_the_last_positions_of_a_stream_can_be_made(draw: Draw) -> None:
    init = Init(draw, 0x35000000, 5 if draw == Draw.truncated_normal else 0)
    out = np.zeros(3, np.uint32)
    fill_raw(out, DType.float32, key=0, init=init, start=2**63 - 3)
    assert (out & 0x7FFFFFFF).all()


def test_a_start_past_the_end_of_the_stream_is_refused() -> None:
    out = np.empty(3, np.uint32)
    with pytest.raises(ValueError, match=r"start is 9223372036854775806, expected 0 to 9"):
        fill_raw(out, DType.float32, key=0, init=Init(Draw.constant, 0), start=2**63 - 2)
    with pytest.raises(ValueError, match="start is -1, expected 0 to"):
        words(out, key=0, stream=0, start=-1)


@pytest.mark.parametrize("key", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(key: int) -> None:
    out = np.empty(3, np.uint32)
    with pytest.raises(ValueError, match=f"seed is {key}, expected 0 to 18446744073709551615"):
        fill_raw(out, DType.float32, key=key, init=Init(Draw.constant, 0))


def test_a_stream_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="stream is 18446744073709551616, expected 0 to"):
        words(np.empty(3, np.uint32), key=0, stream=2**64)


def test_an_array_of_another_type_or_form_is_refused() -> None:
    init = Init(Draw.constant, 0)
    with pytest.raises(ValueError, match="out has dtype float32 and 1 axes, expected uint32"):
        fill_raw(np.empty(3, np.float32), DType.float32, key=0, init=init)
    with pytest.raises(ValueError, match="out has dtype uint32 and 2 axes, expected uint32"):
        fill_raw(np.empty((3, 1), np.uint32), DType.float32, key=0, init=init)
    with pytest.raises(ValueError, match="out is not contiguous and writeable"):
        fill_raw(np.empty(6, np.uint32)[::2], DType.float32, key=0, init=init)


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ValueError, match="backend is 'cuda', expected 'native', 'numpy' or None"):
        words(np.empty(3, np.uint32), key=0, stream=0, backend="cuda")


def test_a_kernel_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", "0")
    problem = "backend 'native' is not available: numpy: FREEZEPACK_NATIVE=0 is set"
    with pytest.raises(FreezepackError, match=problem):
        words(np.empty(3, np.uint32), key=0, stream=0, backend="native")


@needs_kernel
def test_the_kernel_says_no_to_what_it_does_not_know() -> None:
    fill = native.function(
        "fpk_fill",
        *[ctypes.c_void_p, *[ctypes.c_uint64] * 4, *[ctypes.c_uint32] * 4],
        restype=ctypes.c_int32,
    )
    assert fill is not None
    out = np.zeros(3, np.uint32)
    assert fill(out.ctypes.data, 0, 3, 0, 0, 99, 1, 0x35000000, 0) == 1
    assert fill(out.ctypes.data, 0, 3, 0, 0, 2, 7, 0x35000000, 0) == 2
    assert out.tolist() == [0, 0, 0]
