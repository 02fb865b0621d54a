from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezepack.errors import CorruptError
from freezepack.format.coded.numbers import Numbers
from freezepack.format.coded.shapes import Shapes, root_mantissa

SHAPES = st.lists(
    st.tuples(st.sampled_from([0, 0xA0, 0xA1]), st.lists(st.integers(0, 50), max_size=5)),
    max_size=8,
)


def code(shapes: Shapes, ending: int, shape: list[int] | None) -> list[int]:
    rank = shapes.code_rank(None if shape is None else len(shape), ending)
    return [shapes.code_dimension(None if shape is None else shape[n]) for n in range(rank)]


@settings(deadline=None)
@given(SHAPES, st.lists(st.integers(0, 2**32 - 1), max_size=8))
def test_shapes_and_scales_are_read_as_they_were_written(
    tensors: list[tuple[int, list[int]]], scales: list[int]
) -> None:
    writer = Numbers()
    coder = Shapes(writer)
    for (ending, shape), scale in zip(tensors, scales, strict=False):
        code(coder, ending, shape)
        coder.code_scale(scale)
        coder.code_pattern("grid", scale >> 16, 7)
    reader = Numbers(writer.finish())
    coder = Shapes(reader)
    for (ending, shape), scale in zip(tensors, scales, strict=False):
        assert code(coder, ending, None) == shape
        assert coder.code_scale(None) == scale
        assert coder.code_pattern("grid", None, 7) == scale >> 16
    reader.check_end(0)


@settings(deadline=None)
@given(st.sampled_from([1, 2, 3, 6]), st.integers(1, 10**9))
def test_roots_are_those_of_float32(number: int, count: int) -> None:
    root = np.float32(np.sqrt(np.longdouble(number) / np.longdouble(count)))
    assert root_mantissa(number, count) == int(root.view(np.uint32)) & (1 << 23) - 1


def test_layers_that_fit_together_cost_little() -> None:
    lenet = [
        (20,), (20, 1, 5, 5), (50,), (50, 20, 5, 5), (500,), (500, 800), (10,), (10, 500),
    ]  # fmt: skip
    numbers = Numbers()
    coder = Shapes(numbers)
    sizes = [0]
    for shape in lenet:
        code(coder, 0xA0 + (len(shape) == 1), list(shape))
        sizes.append(len(numbers.finish()))
    assert [after - before for before, after in pairwise(sizes)] == [2, 2, 1, 1, 2, 2, 1, 0]


def test_the_scale_of_a_common_initializer_costs_a_few_bits() -> None:
    """The mantissa of sqrt(2 / (25 + 500)), then one that is none of them."""
    sizes = []
    for scale in (0x32FCCF84, 0x32FCCF85):
        numbers = Numbers()
        coder = Shapes(numbers)
        code(coder, 0, [20, 1, 5, 5])
        before = len(numbers.finish())
        coder.code_scale(scale)
        sizes.append(len(numbers.finish()) - before)
    assert sizes == [2, 5]


def test_a_pattern_with_zeros_at_its_end_costs_less() -> None:
    sizes = []
    for mantissa in (0b1010101, 0b1000000, 0):
        numbers = Numbers()
        coder = Shapes(numbers)
        for _ in range(16):
            coder.code_pattern("grid", 120 << 7 | mantissa, 7)
        sizes.append(len(numbers.finish()))
    assert sizes == [13, 9, 1]


@pytest.mark.parametrize("step", [120, -121])
def test_an_exponent_of_more_than_nine_bits_is_refused(step: int) -> None:
    numbers = Numbers()
    folded = 2 * (step + 272) if step > 0 else -2 * step - 1
    numbers.number(("grid", "exponent"), folded)
    reader = Numbers(numbers.finish())
    with pytest.raises(CorruptError, match="is no sign and exponent of a float32"):
        Shapes(reader).code_pattern("grid", None, 7)
