import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.random.narrow import narrow
from freezepack.types import DType

FINITE = st.integers(0, 2**32 - 1).filter(lambda x: x & 0x7FFFFFFF < 0x7F800000)
OTHER = {
    DType.float16: np.dtype(np.float16),
    DType.bfloat16: np.dtype(ml_dtypes.bfloat16),
    DType.float64: np.dtype(np.float64),
}


@pytest.mark.parametrize(
    ("pattern", "bfloat16", "float16"),
    [
        (0x3F808000, 0x3F80, 0x3C04),
        (0x3F818000, 0x3F82, 0x3C0C),
        (0x3F808001, 0x3F81, 0x3C04),
        (0x3F803000, 0x3F80, 0x3C02),
        (0x33000000, 0x3300, 0x0000),
        (0x33000001, 0x3300, 0x0001),
        (0x387FFFFF, 0x3880, 0x0400),
        (0x477FEFFF, 0x4780, 0x7BFF),
        (0x477FF000, 0x4780, 0x7C00),
        (0xFF7FFFFF, 0xFF80, 0xFC00),
        (0x80000000, 0x8000, 0x8000),
    ],
)
def test_worked_numbers_of_the_specification(pattern: int, bfloat16: int, float16: int) -> None:
    x = np.array([pattern], np.uint32)
    assert narrow(x, DType.bfloat16).tolist() == [bfloat16]
    assert narrow(x, DType.float16).tolist() == [float16]


@given(st.lists(FINITE, min_size=1, max_size=50), st.sampled_from(list(OTHER)))
def test_narrowing_agrees_with_numpy(patterns: list[int], dtype: DType) -> None:
    x = np.array(patterns, np.uint32)
    with np.errstate(over="ignore"):
        expected = x.view(np.float32).astype(OTHER[dtype]).view(dtype.raw)
    assert narrow(x, dtype).tolist() == expected.tolist()


def test_every_float16_and_its_neighbours() -> None:
    half = np.arange(2**16, dtype=np.uint16)
    exact = half[np.isfinite(half.view(np.float16))].view(np.float16).astype(np.float32)
    for change in (-4097, -4096, -4095, -1, 0, 1, 4095, 4096, 4097):
        x = exact.view(np.uint32) + np.uint32(change & 0xFFFFFFFF)
        x = x[x & np.uint32(0x7FFFFFFF) < 0x7F800000]
        with np.errstate(over="ignore"):
            expected = x.view(np.float32).astype(np.float16).view(np.uint16)
        assert (narrow(x, DType.float16) == expected).all()
