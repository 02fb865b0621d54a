"""`hazard-turned` is `hazard` on the unit turned by a plain loop, and its positions come back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from freezepack.codecs.base import Unit
from freezepack.codecs.hazard.codec import HAZARD
from freezepack.codecs.hazard.turned import HAZARD_TURNED
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import Positions
from tests.unit.codecs.test_hazard_specification import block, make_case

Mask = tuple[Positions, Unit]


def make_unit(rows: int, columns: int, kernel: int, base: NDArray[np.uint32]) -> Unit:
    return Unit(rows * columns, rows, columns, kernel, start=0, base=lambda: base, offset=64)


def numbered(rows: int, columns: int, kernel: int) -> Unit:
    """A unit whose base tells positions apart."""
    base = np.random.default_rng(0).permutation(rows * columns).astype(np.uint32) << np.uint32(18)
    return make_unit(rows, columns, kernel, base)


def turn(unit: Unit) -> tuple[Unit, list[int]]:
    """The turned unit, and for each of its positions the one it comes from."""
    columns = unit.cols // unit.kernel
    origin = [
        (row * columns + column) * unit.kernel + within
        for column in range(columns)
        for row in range(unit.rows)
        for within in range(unit.kernel)
    ]
    assert unit.base is not None
    base = unit.base()[origin]
    shape = {"rows": columns, "cols": unit.rows * unit.kernel}
    return replace(unit, base=lambda: base, **shape), origin


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    kernel = draw(st.sampled_from([1, 2, 9]))
    unit = numbered(draw(st.integers(2, 9)), kernel * draw(st.integers(2, 9)), kernel)
    chosen = draw(st.sets(st.integers(0, unit.size - 1), min_size=1))
    return np.array(sorted(chosen), np.uint32), unit


@given(masks())
def test_the_section_is_that_of_the_turned_unit(mask: Mask) -> None:
    positions, unit = mask
    turned, origin = turn(unit)
    moved = np.flatnonzero(np.isin(origin, positions)).astype(np.uint32)
    section = HAZARD.encode(moved, turned)
    assert HAZARD_TURNED.encode(positions, unit) == section
    assert section is not None
    found = HAZARD_TURNED.decode(memoryview(section), positions.size, unit)
    assert found.dtype == np.uint32
    assert found.tolist() == positions.tolist()


def test_a_convolution_keeps_its_kernels_whole() -> None:
    # (out 2, in 3, kernel 2 x 1): input 1 of both outputs becomes row 1 of the turned unit.
    unit = make_unit(2, 6, 2, np.arange(12, dtype=np.uint32) << np.uint32(20))
    turned, origin = turn(unit)
    assert origin == [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]
    assert (turned.rows, turned.cols, turned.kernel) == (3, 4, 2)
    section = HAZARD.encode(np.array([4, 5, 6, 7], np.uint32), turned)
    assert section is not None
    assert HAZARD_TURNED.decode(memoryview(section), 4, unit).tolist() == [2, 3, 8, 9]


@pytest.mark.parametrize("native_on", ["0", "1"])
@pytest.mark.parametrize("vector", block("turned"), ids=lambda words: "x".join(words[:3]))
def test_the_vectors_of_the_specification(
    vector: list[str], native_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", native_on)
    rows, columns, kernel, x, count = map(int, vector[:5])
    base, positions = make_case(rows, columns, x)
    unit = make_unit(rows, columns, kernel, base)
    found = HAZARD_TURNED.decode(memoryview(bytes.fromhex(vector[5])), count, unit)
    assert found.tolist() == positions.tolist()
    if rows > 1 and columns > kernel:
        section = HAZARD_TURNED.encode(positions, unit)
        assert section is not None
        assert section.hex() == vector[5]


@pytest.mark.parametrize("section", [words[0] for words in block("turned-refused")])
def test_the_refused_sections_of_the_specification(section: str) -> None:
    unit = make_unit(24, 40, 1, make_case(24, 40, 1)[0])
    with pytest.raises(CorruptError, match="index at byte 64: the stream "):
        HAZARD_TURNED.decode(memoryview(bytes.fromhex(section)), 94, unit)


def test_what_hazard_refuses_is_refused() -> None:
    unit = numbered(4, 6, 1)
    with pytest.raises(TruncatedError, match="index at byte 64: 0 bytes left, expected a preset"):
        HAZARD_TURNED.decode(memoryview(b""), 1, unit)
    with pytest.raises(CorruptError, match="index at byte 64: 25 trained positions in a unit of"):
        HAZARD_TURNED.decode(memoryview(b"\x92"), 25, unit)
    with pytest.raises(CorruptError, match="this tensor has no base to predict from"):
        HAZARD_TURNED.decode(memoryview(b"\x92"), 1, replace(unit, base=None))


@pytest.mark.parametrize(("rows", "columns", "kernel"), [(1, 18, 1), (18, 1, 1), (2, 9, 9)])
def test_where_there_is_nothing_to_turn_the_encoder_declines(
    rows: int, columns: int, kernel: int
) -> None:
    unit = numbered(rows, columns, kernel)
    assert HAZARD_TURNED.encode(np.array([3], np.uint32), unit) is None
    section = HAZARD.encode(np.array([3], np.uint32), turn(unit)[0])
    assert section is not None
    assert HAZARD_TURNED.decode(memoryview(section), 1, unit).tolist() == [3]


def test_the_encoder_declines_large_units_and_no_base() -> None:
    positions = np.array([5], np.uint32)
    most = make_unit(512, 512, 1, np.zeros(2**18, np.uint32))
    more = make_unit(512, 513, 1, np.zeros(512 * 513, np.uint32))
    assert HAZARD_TURNED.encode(positions, most) is not None
    assert HAZARD_TURNED.encode(positions, more) is None
    assert HAZARD_TURNED.encode(positions, replace(most, base=None)) is None
    section = HAZARD.encode(np.array([512 * 5], np.uint32), replace(more, rows=513, cols=512))
    assert section is not None
    assert HAZARD_TURNED.decode(memoryview(section), 1, more).tolist() == [5]
