from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from freezepack import native
from freezepack.codecs.base import Unit
from freezepack.codecs.hazard.codec import HAZARD
from freezepack.codecs.probit import kernel, reference
from freezepack.codecs.probit.codec import LARGEST, PROBIT
from freezepack.codecs.probit.layout import Layout
from freezepack.codecs.probit.search import Fields, smallest
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import Positions

needs_kernel = pytest.mark.skipif(native.library() is None, reason="no kernel")
Case = tuple[NDArray[np.uint32], Layout, Positions, bytes]


def make_base(kind: str, size: int, seed: int) -> NDArray[np.uint32]:
    rng = np.random.default_rng(seed)
    if kind == "normal":
        return rng.standard_normal(size, np.float32).view(np.uint32)
    if kind == "any pattern":
        return rng.integers(0, 2**32, size, np.uint32)
    return np.full(size, 0 if kind == "zeros" else 0x3F000000, np.uint32)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(1, 40))
    size = rows * columns
    kind = draw(st.sampled_from(["normal", "zeros", "any pattern", "constant"]))
    base = make_base(kind, size, draw(st.integers(0, 99)))
    chosen = draw(st.sets(st.integers(0, size - 1), min_size=1))
    area = draw(st.sampled_from([1, 2, 9, 25, 64, 65]))
    positions = np.array(sorted(chosen), np.uint32)
    return (
        base,
        Layout(rows, columns, area, len(chosen)),
        positions,
        draw(st.binary(min_size=2, max_size=2)),
    )


def make_unit(base: NDArray[np.uint32], layout: Layout) -> Unit:
    shape = {"rows": layout.rows, "cols": layout.columns, "kernel": layout.kernel}
    return Unit(size=base.size, **shape, start=0, base=lambda: base, offset=64)


def scored(rows: int, columns: int, trained: int, seed: int) -> tuple[Positions, Unit]:
    """A mask of the largest |base| times a factor of its row and one of its column."""
    rng = np.random.default_rng(seed)
    base = rng.standard_normal((rows, columns), np.float32)
    score = abs(base) * np.exp(rng.normal(size=(rows, 1)) * 0.7 + rng.normal(size=columns) * 0.7)
    chosen = np.sort(np.argsort(score, axis=None)[-trained:]).astype(np.uint32)
    return chosen, make_unit(base.view(np.uint32).ravel(), Layout(rows, columns, 1, trained))


@needs_kernel
@given(cases())
def test_both_twins_write_the_same_bytes_and_read_them_back(case: Case) -> None:
    base, layout, positions, preset = case
    section = reference.encode(base, layout, positions, preset)
    assert kernel.encode(base, layout, positions, preset) == section
    assert reference.decode(base, layout, section).tolist() == positions.tolist()
    assert kernel.decode(base, layout, section).tolist() == positions.tolist()


@needs_kernel
@given(cases(), st.binary(min_size=2, max_size=40), st.integers(0, 40))
def test_whatever_is_read_is_refused_or_written_again_byte_for_byte(
    case: Case, noise: bytes, cut: int
) -> None:
    base, layout, positions, preset = case
    good = kernel.encode(base, layout, positions, preset)
    flipped = good[:2] + bytes(byte ^ 1 for byte in good[2:3]) + good[3:]
    for section in (noise, good[: 2 + cut], good + noise, good + b"\0", flipped):
        try:
            found = kernel.decode(base, layout, section)
        except ValueError:
            with pytest.raises(ValueError, match="the stream "):
                reference.decode(base, layout, section)
            continue
        assert reference.decode(base, layout, section).tolist() == found.tolist()
        assert found.size == layout.trained
        assert (np.diff(found.astype(np.int64)) > 0).all()
        assert found[-1] < base.size
        assert kernel.encode(base, layout, found, section[:2]) == section


@needs_kernel
def test_twins_agree_where_effects_move_far() -> None:
    # One row and one column hold all trained positions, against what |base| says.
    base = make_base("normal", 60 * 50, 8)
    mask = np.zeros((60, 50), bool)
    mask[17] = mask[:, 31] = True
    positions = np.flatnonzero(mask).astype(np.uint32)
    layout = Layout(60, 50, 1, positions.size)
    for preset in (b"\x3f\xff", b"\xf0\xe0", b"\x00\x00"):
        section = reference.encode(base, layout, positions, preset)
        assert kernel.encode(base, layout, positions, preset) == section
        assert kernel.decode(base, layout, section).tolist() == positions.tolist()


@pytest.mark.parametrize("native_on", ["0", "1"])
def test_the_codec_takes_the_smallest_section_tried(
    native_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", native_on)
    positions, unit = scored(30, 40, 40, 3)
    assert unit.base is not None
    layout = Layout(30, 40, 1, 40)
    section = PROBIT.encode(positions, unit)
    assert section is not None
    assert section == smallest(partial(reference.encode, unit.base(), layout, positions), layout)
    decoded = PROBIT.decode(memoryview(section), 40, unit)
    assert decoded.dtype == np.uint32
    assert decoded.tolist() == positions.tolist()


def test_rows_and_columns_of_unequal_scores_cost_less_than_with_hazard() -> None:
    pairs = []
    for seed in range(5):
        positions, unit = scored(100, 300, 700, seed)
        sections = [codec.encode(positions, unit) for codec in (PROBIT, HAZARD)]
        pairs.append([len(section) for section in sections if section is not None])
    small, large = np.array(pairs).sum(axis=0)
    assert small < 0.9 * large


def test_a_random_mask_costs_not_much_more_than_its_entropy() -> None:
    chosen = np.sort(np.random.default_rng(6).permutation(20000)[:200]).astype(np.uint32)
    section = PROBIT.encode(
        chosen, make_unit(make_base("normal", 20000, 5), Layout(100, 200, 1, 200))
    )
    assert section is not None
    # 200 of 20,000 positions have an entropy of 202 bytes.
    assert 195 < len(section) < 235


def test_no_section_without_a_base_or_trained_positions_or_for_a_large_unit() -> None:
    one = np.array([3], np.uint32)
    unit = make_unit(np.zeros(16, np.uint32), Layout(2, 8, 1, 1))
    large = make_unit(np.zeros(LARGEST + 1, np.uint32), Layout(1, LARGEST + 1, 1, 1))
    assert PROBIT.encode(one, unit) is not None
    assert PROBIT.encode(one, replace(unit, base=None)) is None
    assert PROBIT.encode(one[:0], unit) is None
    assert PROBIT.encode(one, large) is None


@needs_kernel
def test_a_decoder_takes_large_units() -> None:
    base, layout = np.zeros(LARGEST + 1, np.uint32), Layout(1, LARGEST + 1, 1, 1)
    section = kernel.encode(base, layout, np.array([5], np.uint32), b"\xa0\xa0")
    assert PROBIT.decode(memoryview(section), 1, make_unit(base, layout)).tolist() == [5]


def test_what_is_no_section_is_refused() -> None:
    unit = make_unit(np.zeros(18, np.uint32), Layout(2, 9, 9, 2))
    with pytest.raises(
        TruncatedError, match="index at byte 64: 1 bytes left, expected a preset of 2"
    ):
        PROBIT.decode(memoryview(b"\xd6"), 2, unit)
    with pytest.raises(CorruptError, match="index at byte 64: this tensor has no base to predict"):
        PROBIT.decode(memoryview(b"\xd6\x30"), 2, replace(unit, base=None))
    with pytest.raises(CorruptError, match="the preset names a width, expected 0"):
        PROBIT.decode(memoryview(b"\xd6\x31\x33"), 2, unit)


@pytest.mark.parametrize("count", [0, 19])
def test_a_count_that_no_mask_has_is_corrupt(count: int) -> None:
    unit = make_unit(np.zeros(18, np.uint32), Layout(2, 9, 9, 2))
    with pytest.raises(CorruptError, match=f"{count} trained positions in a unit of 18"):
        PROBIT.decode(memoryview(b"\xd6\x30"), count, unit)


def test_the_search_climbs_while_sections_get_shorter() -> None:
    tried: list[bytes] = []

    def encode(preset: bytes) -> bytes:
        tried.append(preset)
        noise, column = preset[0] >> 6, preset[1] >> 5
        return preset + bytes(8 + 3 * noise + abs(column - 3))

    section = smallest(encode, Layout(9, 9, 9, 9))
    fields = Fields(noise=0, row=1, column=3, group=4, cell=2, place=1)
    assert section[:2] == fields.pack()
    assert tried[0] == Fields(noise=3, row=1, column=1, group=4, cell=2, place=1).pack()
    assert len(tried) < 40


def test_groups_of_a_matrix_are_tried_with_every_width() -> None:
    tried: list[bytes] = []

    def encode(preset: bytes) -> bytes:
        tried.append(preset)
        return preset + bytes(9 - 3 * (preset[1] & 3 == 2))

    assert smallest(encode, Layout(9, 9, 1, 9))[1] & 3 == 2
    assert {preset[1] & 3 for preset in tried[:5]} == {0, 1, 2, 3}


def test_the_first_bias_lets_about_the_right_number_be_expected() -> None:
    # Without anything to learn from, a mask of the largest |base| is cheap from the start.
    base = make_base("normal", 4000, 1)
    order = np.argsort(base & 0x7FFFFFFF, kind="stable")
    costs: list[Any] = []
    for trained in (4, 40, 400):
        mask = np.sort(order[-trained:]).astype(np.uint32)
        section = reference.encode(base, Layout(1, 4000, 1, trained), mask, b"\x00\x00")
        costs.append(8 * len(section) / trained)
    assert max(costs) < 12
    assert costs[2] < 4
