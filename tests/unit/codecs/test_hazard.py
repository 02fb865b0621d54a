from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from freezepack import native
from freezepack.codecs.base import Unit
from freezepack.codecs.hazard import kernel, reference
from freezepack.codecs.hazard.codec import HAZARD
from freezepack.codecs.hazard.coder import BitDecoder, BitEncoder
from freezepack.codecs.hazard.layout import Layout
from freezepack.codecs.hazard.search import smallest
from freezepack.errors import CorruptError, TruncatedError

needs_kernel = pytest.mark.skipif(native.library() is None, reason="no kernel")
BASES = ("normal", "zeros", "any pattern", "constant")


def make_base(kind: str, size: int, seed: int) -> NDArray[np.uint32]:
    rng = np.random.default_rng(seed)
    if kind == "normal":
        return rng.standard_normal(size, np.float32).view(np.uint32)
    if kind == "any pattern":
        return rng.integers(0, 2**32, size, np.uint32)
    return np.full(size, 0 if kind == "zeros" else 0x3F000000, np.uint32)


@st.composite
def cases(draw: Any) -> tuple[NDArray[np.uint32], Layout, NDArray[np.uint32], int]:
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(1, 40))
    size = rows * columns
    base = make_base(draw(st.sampled_from(BASES)), size, draw(st.integers(0, 99)))
    chosen = draw(st.sets(st.integers(0, size - 1), min_size=1))
    positions = np.array(sorted(chosen), np.uint32)
    kernel_area = draw(st.sampled_from([1, 2, 9, 25, 64, 65]))
    preset = draw(st.sampled_from([146, 63, *range(256)]))
    return base, Layout(rows, columns, kernel_area, positions.size), positions, preset


def make_unit(base: NDArray[np.uint32], layout: Layout) -> Unit:
    shape = {"rows": layout.rows, "cols": layout.columns, "kernel": layout.kernel}
    return Unit(size=base.size, **shape, start=0, base=lambda: base, offset=64)


@needs_kernel
@given(cases())
def test_both_twins_write_the_same_bytes_and_read_them_back(case: Any) -> None:
    base, layout, positions, preset = case
    section = reference.encode(base, layout, positions, preset)
    assert kernel.encode(base, layout, positions, preset) == section
    assert reference.decode(base, layout, section).tolist() == positions.tolist()
    assert kernel.decode(base, layout, section).tolist() == positions.tolist()


@needs_kernel
@given(cases(), st.binary(min_size=1, max_size=40), st.integers(0, 40))
def test_whatever_is_read_is_refused_or_written_again_byte_for_byte(
    case: Any, noise: bytes, cut: int
) -> None:
    base, layout, positions, preset = case
    good = kernel.encode(base, layout, positions, preset)
    flipped = bytes([good[0], *[byte ^ 1 for byte in good[1:2]]]) + good[2:]
    for section in (noise, good[: 1 + cut], good + noise, good + b"\0", flipped):
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
        assert kernel.encode(base, layout, found, section[0]) == section


@pytest.mark.parametrize("native_on", ["0", "1"])
def test_the_codec_takes_the_smallest_section_tried(
    native_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", native_on)
    base = make_base("normal", 40 * 60, 3)
    magnitude = base & 0x7FFFFFFF
    positions = np.sort(np.argsort(magnitude, kind="stable")[-24:]).astype(np.uint32)
    layout = Layout(40, 60, 1, 24)
    section = HAZARD.encode(positions, make_unit(base, layout))
    assert section is not None
    assert section == smallest(partial(reference.encode, base, layout, positions))
    assert len(section) < len(reference.encode(base, layout, positions, 146))
    decoded = HAZARD.decode(memoryview(section), 24, make_unit(base, layout))
    assert decoded.dtype == np.uint32
    assert decoded.tolist() == positions.tolist()


def test_the_mask_of_largest_magnitudes_is_cheaper_than_a_random_one() -> None:
    base = make_base("normal", 100 * 200, 5)
    order = np.argsort(base & 0x7FFFFFFF, kind="stable")
    layout = Layout(100, 200, 1, 200)
    predicted = HAZARD.encode(np.sort(order[-200:]).astype(np.uint32), make_unit(base, layout))
    chosen = np.sort(np.random.default_rng(6).permutation(20000)[:200]).astype(np.uint32)
    scattered = HAZARD.encode(chosen, make_unit(base, layout))
    assert predicted is not None
    assert scattered is not None
    # 200 of 20,000 positions have an entropy of 202 bytes.
    assert len(predicted) < 70
    assert 195 < len(scattered) < 210


def test_no_section_without_a_base_or_without_trained_positions() -> None:
    unit = Unit(size=16, rows=2, cols=8, kernel=1, start=0, offset=9)
    assert HAZARD.encode(np.array([3], np.uint32), unit) is None
    assert (
        HAZARD.encode(
            np.array([], np.uint32), make_unit(np.zeros(16, np.uint32), Layout(2, 8, 1, 1))
        )
        is None
    )
    with pytest.raises(CorruptError, match="index at byte 9: this tensor has no base to predict"):
        HAZARD.decode(memoryview(b"\x92"), 1, unit)


def test_an_empty_section_is_truncated() -> None:
    unit = make_unit(np.zeros(16, np.uint32), Layout(2, 8, 1, 1))
    with pytest.raises(TruncatedError, match="index at byte 64: 0 bytes left, expected a preset"):
        HAZARD.decode(memoryview(b""), 1, unit)


@pytest.mark.parametrize("count", [0, 17])
def test_a_count_that_no_mask_has_is_corrupt(count: int) -> None:
    unit = make_unit(np.zeros(16, np.uint32), Layout(2, 8, 1, 1))
    with pytest.raises(CorruptError, match=f"{count} trained positions in a unit of 16"):
        HAZARD.decode(memoryview(b"\x92"), count, unit)


@given(st.lists(st.tuples(st.integers(1, 65535), st.booleans()), max_size=60))
def test_the_coder_returns_what_it_was_given(decisions: list[tuple[int, bool]]) -> None:
    encoder = BitEncoder()
    for p, bit in decisions:
        encoder.code(p, bit)
    stream = encoder.finish()
    decoder = BitDecoder(stream)
    assert [decoder.code(p) for p, _ in decisions] == [bit for _, bit in decisions]
    assert decoder.is_canonical()
    assert not stream.endswith(b"\0")
