import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack import native
from freezepack.codecs.base import BaseValues
from freezepack.codecs.grid import kernel, reference
from freezepack.codecs.grid.codec import GRID, Grid, find_integers
from freezepack.codecs.grid.step import Integers, Step
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import DType

TEXT = (Path(__file__).parents[3] / "formats/grid.md").read_text()
ONE = 0x3F800000


def block(name: str) -> list[str]:
    found = re.search(rf"^```{name}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    lines = [line.partition("#")[0].strip() for line in found[1].splitlines()]
    return [line for line in lines if line]


def drawn(integers: list[int], bits: int) -> BaseValues:
    k = np.array(integers, np.int32)
    return BaseValues(lambda: np.zeros(k.size, "<u4"), lambda: k, bits)


def generated() -> Integers:
    q, x = [], 1
    for _ in range(64):
        x = (x * 1664525 + 1013904223) % 2**32
        q.append((x // 2**24 - 128) * (x // 2**16 % 256 + 1) // 2**11)
    return np.array(q, np.int64)


@pytest.fixture(params=[reference, kernel], ids=["reference", "kernel"])
def twin(request: pytest.FixtureRequest) -> object:
    if request.param is kernel and native.library() is None:
        pytest.skip("no kernel")
    return request.param


@pytest.mark.parametrize("line", block("integers"))
def test_the_integers_of_the_specification(twin: object, line: str) -> None:
    *words, section = line.split()
    q = np.array([int(word) for word in words])
    data = bytes.fromhex(section.replace("-", ""))
    assert twin.encode(q) == data  # type: ignore[attr-defined]
    assert twin.decode(data, q.size).tolist() == q.tolist()  # type: ignore[attr-defined]


def test_the_generated_integers_of_the_specification(twin: object) -> None:
    data = bytes.fromhex(block("generated")[0])
    assert twin.encode(generated()) == data  # type: ignore[attr-defined]
    assert twin.decode(data, 64).tolist() == generated().tolist()  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", block("refused"))
def test_streams_that_no_encoder_writes_are_refused(twin: object, line: str) -> None:
    with pytest.raises(ValueError, match="not as its encoder ends it"):
        twin.decode(bytes.fromhex(line), 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", block("values"))
def test_the_values_of_the_specification(line: str) -> None:
    name, scale, parameter, k, q, bits = line.split()
    dtype = DType[name]
    base = None if k == "-" else drawn([int(k)], int(scale, 16))
    coded = bytes.fromhex(parameter) + reference.encode(np.array([int(q)]))
    found = GRID.decode(memoryview(coded), dtype, 1, base, 0)
    assert f"{int(found[0]):0{2 * dtype.itemsize}x}" == bits


@given(st.lists(st.integers(-(2**25) + 1, 2**25 - 1) | st.integers(-9, 9), max_size=60))
def test_both_twins_write_the_same_bytes_and_read_them(integers: list[int]) -> None:
    q = np.array(integers, np.int64)
    data = reference.encode(q)
    assert reference.decode(data, q.size).tolist() == integers
    if native.library() is not None:
        assert kernel.encode(q) == data
        assert kernel.decode(data, q.size).tolist() == integers


@given(st.binary(max_size=30), st.integers(1, 40))
def test_bytes_are_refused_by_both_twins_or_are_what_both_write(data: bytes, count: int) -> None:
    try:
        q = reference.decode(data, count)
    except ValueError:
        q = None
    if q is not None:
        assert reference.encode(q) == data
    if native.library() is None:
        return
    if q is None:
        with pytest.raises(ValueError, match="not as its encoder"):
            kernel.decode(data, count)
    else:
        assert kernel.decode(data, count).tolist() == q.tolist()


def test_values_near_the_base_take_few_bytes() -> None:
    rng = np.random.default_rng(1)
    q = np.rint(rng.logistic(scale=8.0, size=1000)).astype(np.int64)
    # The entropy of a logistic of scale 8 is log2(8) + 2 / ln(2) = 5.9 bits: 736 bytes.
    assert len(reference.encode(q)) < 750
    assert len(reference.encode(q[:10])) == 10


@given(
    st.lists(
        st.tuples(st.integers(-13291661, 13291661), st.integers(-20, 20)), min_size=1, max_size=40
    ),
    st.integers(1, 255),
    st.integers(1, 16),
    st.sampled_from([DType.float32, DType.float64]),
)
def test_values_on_a_grid_come_back(
    pairs: list[tuple[int, int]], multiple: int, shift: int, dtype: DType
) -> None:
    k, q = np.array(pairs, np.int64).T
    step = Step(multiple, shift, 0x34123456)
    base = drawn(k.tolist(), 0x34123456)
    values = step.bits_of(q, k.astype(np.int32), dtype)
    coded = Grid(step).encode(values, dtype, base)
    assert coded is not None
    assert coded[:2] == bytes([multiple, shift])
    found = GRID.decode(memoryview(coded), dtype, q.size, base, 0)
    assert found.tobytes() == values.tobytes()


def test_values_beside_the_grid_are_not_coded() -> None:
    step = Step(1, 0, 0x3E800000)
    for value in (0.3, -0.0, np.nan, np.inf, 2.0**25):
        bits = np.array([0.5, value], np.float32).view(np.uint32)
        assert Grid(step).encode(bits, DType.float32, None) is None
    ints = np.array([1, 2], np.uint32)
    assert Grid(step).encode(ints, DType.int32, None) is None
    assert GRID.encode(ints, DType.float32, None) is None
    bits = np.array([0.5], np.float32).view(np.uint32)
    # A factor with more bits than the parameter holds, and another factor than the draw's.
    assert Grid(Step(1, 0, 0x3E800001)).encode(bits, DType.float32, None) is None
    assert Grid(step).encode(bits, DType.float32, drawn([1], 0x3E000000)) is None


def test_the_largest_sum_is_exact_and_the_next_refused() -> None:
    base = drawn([0], ONE)
    most = b"\x01\x00" + reference.encode(np.array([2**24 - 1]))
    found = GRID.decode(memoryview(most), DType.float32, 1, base, 7)
    assert found.view(np.float32).tolist() == [16777215.0]
    beyond = b"\x01\x00" + reference.encode(np.array([2**24]))
    with pytest.raises(CorruptError, match="values at byte 7: value 0 is beyond the grid"):
        GRID.decode(memoryview(beyond), DType.float32, 1, base, 7)


@pytest.mark.parametrize(
    ("parameter", "base", "problem"),
    [
        ("0000", drawn([0], ONE), "the multiple is 0, expected 1 to 255"),
        ("0118", drawn([0], ONE), "the shift is 24, expected 0 to 23"),
        ("0101", drawn([0], 0x73000000), "the factor 73000000 times 2\\*\\*1 is not in"),
        ("7f00", None, "the factor 007f0000 times 2\\*\\*0 is not in"),
        ("0173", None, "the factor 73010000 times"),
        ("80bf", None, "the factor bf800000 times"),
    ],
)
def test_parameters_out_of_range_are_refused(
    parameter: str, base: BaseValues | None, problem: str
) -> None:
    with pytest.raises(CorruptError, match=f"values at byte 64: {problem}"):
        GRID.decode(memoryview(bytes.fromhex(parameter)), DType.float32, 1, base, 64)


def test_other_broken_sections_are_refused() -> None:
    with pytest.raises(TruncatedError, match="1 bytes of the grid, expected 2"):
        GRID.decode(memoryview(b"\x01"), DType.float32, 1, None, 0)
    with pytest.raises(CorruptError, match="values of int32 on a grid, expected a float type"):
        GRID.decode(memoryview(b"\x80\x3f"), DType.int32, 1, None, 0)
    with pytest.raises(CorruptError, match="not as its encoder ends it"):
        GRID.decode(memoryview(b"\x80\x3f\x11\x00"), DType.float32, 3, None, 0)


def test_integers_of_narrow_values_are_found() -> None:
    step, q = Step(1, 0, 0x3DCD0000), np.array([0, 1, -2, 7])
    for dtype in (DType.bfloat16, DType.float16, DType.float32, DType.float64):
        found = find_integers(step.bits_of(q, None, dtype), dtype, step, None)
        assert found is not None
        assert found.tolist() == q.tolist()
