from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.format.layout import Layout, layout_of

HALF = 2**19 + 1


@pytest.mark.parametrize(
    ("shape", "cols", "kernel", "units"),
    [
        ((), 1, 1, 1),
        ((10,), 1, 1, 1),
        ((2**20 + 1,), 1, 1, 2),
        ((500, 800), 800, 1, 1),
        ((50, 20, 5, 5), 500, 25, 1),
        ((3, 2, 8, 8), 128, 64, 1),
        ((3, 2, 8, 9), 144, 1, 1),
        ((4, HALF), HALF, 1, 4),
        ((2, 2**20), 2**20, 1, 2),
        ((2, 2**20 + 1), 1, 1, 3),
        ((2, 2**20 + 1, 3), 3, 3, 7),
        ((1000, 2**11), 2**11, 1, 2),
        ((0,), 1, 1, 0),
        ((3, 0, 2**40), 1, 1, 0),
    ],
)
def test_units_of_shapes(shape: tuple[int, ...], cols: int, kernel: int, units: int) -> None:
    layout = layout_of(shape)
    assert (layout.cols, layout.kernel, layout.units) == (cols, kernel, units)
    assert layout.size == prod(shape)


def test_the_last_unit_may_be_shorter() -> None:
    layout = layout_of((1000, 2**11))
    assert [layout.unit_size(unit) for unit in range(2)] == [2**20, 488 * 2**11]
    assert [layout.unit_matrix(unit) for unit in range(2)] == [(512, 2**11), (488, 2**11)]
    assert layout.start(1) == 2**20
    assert layout_of((2**20 + 5,)).unit_matrix(1) == (1, 5)


def test_a_huge_tensor_has_many_units_and_costs_nothing() -> None:
    assert layout_of((2**61,)).units == 2**41
    assert layout_of((2**60, 1, 2)) == Layout(2**61, 2, 2)


@given(st.lists(st.integers(1, 3000), max_size=5))
def test_units_are_whole_rows_and_cover_the_tensor(shape: list[int]) -> None:
    layout = layout_of(tuple(shape))
    last = layout.units - 1
    assert layout.start(last) + layout.unit_size(last) == layout.size
    for unit in {0, last}:
        rows, cols = layout.unit_matrix(unit)
        assert rows * cols == layout.unit_size(unit) <= 2**20
        assert layout.unit_size(unit) >= 1
