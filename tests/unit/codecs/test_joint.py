import subprocess
import sys
from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from freezepack import native
from freezepack.codecs.joint import (
    MOST_LEVEL,
    JointSpec,
    decode_joint,
    encode_joint,
    price_joint,
    reference,
)
from freezepack.codecs.joint.codec import depths_of
from freezepack.codecs.joint.price import price_by_reference
from freezepack.codecs.joint.shapes import Grid, Layout, lay_out
from freezepack.errors import CorruptError

LENET5 = [(20,), (20, 1, 5, 5), (50,), (50, 20, 5, 5), (500,), (500, 800), (10,), (10, 500)]
SHAPES: list[list[tuple[int, ...]]] = [
    [(3,), (3, 2, 3, 3), (3,)],
    [(4, 1, 3, 3), (6, 4, 2, 2), (5, 24), (5,), (2, 5)],
    [(3, 64), (2, 3)],
    [(1, 5), (), (2, 2, 2, 2, 2), (0, 4), (4, 0), (7, 1)],
    [(2, 20), (20, 2), (4, 40)],
]
Levels = NDArray[np.int64]


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[Levels], list[JointSpec]]:
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    density = draw(st.sampled_from([0.0, 0.03, 0.2, 0.7, 1.0]))
    most = draw(st.sampled_from([1, 2, 3, 40, MOST_LEVEL]))
    levels, specs = [], []
    for shape in draw(st.sampled_from(SHAPES)):
        size = int(np.prod(shape))
        q = generator.integers(-most, most + 1, size) * (generator.random(size) < density)
        levels.append(q.reshape(shape))
        base = generator.standard_normal(size).astype(np.float32).view(np.uint32)
        with_base = draw(st.booleans())
        specs.append(JointSpec(shape, partial(np.copy, base) if with_base else None))
    return levels, specs


def to_lists(parts: Sequence[NDArray[np.integer]]) -> list[list[int]]:
    return [part.reshape(-1).tolist() for part in parts]


@settings(max_examples=40, deadline=None)
@given(runs())
def test_both_twins_write_the_same_and_read_it_back(
    run: tuple[list[Levels], list[JointSpec]],
) -> None:
    levels, specs = run
    data = encode_joint(levels, specs)
    layouts, bases = lay_out([spec.shape for spec in specs]), depths_of(specs)
    flat = [part.reshape(-1).astype(np.int32) for part in levels]
    assert reference.encode(layouts, flat, bases) == data
    assert to_lists(decode_joint(data, specs)) == to_lists(levels)
    assert to_lists(reference.decode(data, layouts, bases)) == to_lists(levels)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(SHAPES))
def test_both_twins_agree_about_any_bytes(data: bytes, shapes: list[tuple[int, ...]]) -> None:
    specs = [JointSpec(shape) for shape in shapes]
    try:
        expected = to_lists(reference.decode(data, lay_out(shapes), [None] * len(shapes)))
    except ValueError:
        with pytest.raises(CorruptError, match="values at byte 9: the stream is not as its enc"):
            decode_joint(data, specs, offset=9)
        return
    found = decode_joint(data, specs)
    assert to_lists(found) == expected
    assert to_lists(decode_joint(encode_joint(found, specs), specs)) == expected


def test_a_network_without_trained_weights_takes_four_bytes() -> None:
    specs = [JointSpec(shape) for shape in LENET5]
    assert len(encode_joint([np.zeros(spec.size, np.int8) for spec in specs], specs)) == 4


def test_dead_rows_and_channels_cost_next_to_nothing() -> None:
    generator = np.random.default_rng(3)
    small = [(8, 1, 5, 5), (8,), (16, 8, 5, 5), (24, 256), (10, 24)]
    large = [(20, 1, 5, 5), (20,), (50, 20, 5, 5), (500, 800), (10, 500)]
    levels, padded = [], []
    for shape, full in zip(small, large, strict=True):
        part = generator.integers(-2, 3, shape) * (generator.random(shape) < 0.3)
        levels.append(part)
        padded.append(np.zeros(full, np.int64))
        padded[-1][tuple(slice(0, n) for n in shape)] = part
    bare = len(encode_joint(levels, [JointSpec(shape) for shape in small]))
    assert bare > 1000
    assert len(encode_joint(padded, [JointSpec(shape) for shape in large])) - bare < 12


def test_a_base_that_predicts_the_mask_saves_a_third() -> None:
    base = np.random.default_rng(5).standard_normal((40, 300)).astype(np.float32)
    levels = np.sign(base).astype(np.int64) * (np.abs(base) > 1.8)
    with_base = encode_joint([levels], [JointSpec((40, 300), lambda: base.reshape(-1).view("<u4"))])
    without = encode_joint([levels], [JointSpec((40, 300))])
    assert len(with_base) < 0.5 * len(without)


def test_channels_are_predicted_from_the_tensor_that_feeds_them() -> None:
    generator = np.random.default_rng(7)
    alive = generator.random(64) < 0.3
    shapes = [(64, 30), (10, 64, 3, 3)]
    levels = [generator.integers(0, 2, shape) for shape in shapes]
    levels[0] *= alive[:, None]
    levels[1] *= alive[:, None, None]
    specs = [JointSpec(shape) for shape in shapes]
    alone = [len(encode_joint([q], [spec])) for q, spec in zip(levels, specs, strict=True)]
    assert len(encode_joint(levels, specs)) <= sum(alone) - 6


def test_the_largest_integers_are_kept_and_larger_ones_refused() -> None:
    specs = [JointSpec((2,))]
    data = encode_joint([np.array([MOST_LEVEL, -MOST_LEVEL])], specs)
    assert decode_joint(data, specs)[0].tolist() == [8388610, -8388610]
    with pytest.raises(ValueError, match="an integer of tensor 0 is beyond 8,388,610"):
        encode_joint([np.array([0, -MOST_LEVEL - 1])], specs)


def test_the_largest_of_all_integers_fit_the_buffer() -> None:
    levels = np.where(np.arange(4000) % 2, MOST_LEVEL, -MOST_LEVEL)
    data = encode_joint([levels], [JointSpec((40, 100))])
    assert decode_joint(data, [JointSpec((40, 100))])[0].tolist() == levels.tolist()


def test_what_a_run_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="256 tensors in one run, expected at most 255"):
        decode_joint(b"", [JointSpec((1,))] * 256)
    with pytest.raises(ValueError, match="1048577 positions in one run, expected at most 1048576"):
        decode_joint(b"", [JointSpec((1 << 20,)), JointSpec(())])
    with pytest.raises(ValueError, match="tensor 1 has 3 integers, expected 4"):
        encode_joint([np.zeros(2, int), np.zeros(3, int)], [JointSpec((2,)), JointSpec((2, 2))])
    with pytest.raises(ValueError, match="the base of tensor 0 has 2 patterns, not 3"):
        decode_joint(b"", [JointSpec((3,), lambda: np.zeros(2, np.uint32))])


def test_no_tensors_are_no_bytes() -> None:
    assert encode_joint([], []) == b""
    assert decode_joint(b"", []) == []
    assert encode_joint([np.zeros((0, 3), int)], [JointSpec((0, 3))]) == b""


@settings(max_examples=15, deadline=None)
@given(runs())
def test_prices_of_both_twins_agree(run: tuple[list[Levels], list[JointSpec]]) -> None:
    levels, specs = run
    bits, prices = price_joint(levels, specs)
    flat = [part.reshape(-1).astype(np.int32) for part in levels]
    layouts = lay_out([spec.shape for spec in specs])
    expected, rows = price_by_reference(layouts, flat, depths_of(specs))
    assert bits == expected
    assert abs(bits - 8 * len(encode_joint(levels, specs))) < 40 + 0.02 * bits
    for found, row, spec in zip(prices, rows, specs, strict=True):
        assert found.shape == (5, spec.size)
        assert np.isfinite(found).all()
        assert (found >= 0).all()
        np.testing.assert_allclose(found, row, rtol=1e-4, atol=1e-4)


def test_prices_say_where_a_weight_is_cheap() -> None:
    levels = np.zeros((12, 40), np.int64)
    levels[:4, :20] = np.random.default_rng(1).integers(-1, 2, (4, 20))
    bits, (prices,) = price_joint([levels], [JointSpec((12, 40))])
    one = prices[3].reshape(12, 40)
    assert one[:4, :20].mean() < 5
    assert one[:4, 20:].min() > 15
    assert one[4:].min() > 15
    assert prices[2].reshape(12, 40)[4:].max() == 0
    assert (prices[4] > prices[3]).all()
    assert 100 < bits < 250


def test_layouts_of_a_residual_network() -> None:
    shapes = [(16,), (16, 3, 3, 3), (10, 64), (32, 16, 3, 3), (32, 32, 3, 3), (32, 16, 1, 1)]
    kernel, small = Grid(32, 144, 9, 3), Grid(32, 16, 1, 1)
    assert lay_out(shapes) == [
        Layout(False, Grid(1, 16, 1, 1), Grid(1, 16, 1, 1), 1),
        Layout(True, Grid(16, 27, 9, 3), Grid(16, 27, 9, 3), -1),
        Layout(True, Grid(10, 64, 4, 2), Grid(10, 64, 1, 8), 1),
        Layout(True, kernel, kernel, 1),
        Layout(True, Grid(32, 288, 9, 3), Grid(32, 288, 9, 3), 3),
        Layout(True, small, small, 1),
    ]


def test_the_codec_is_there_without_a_kernel() -> None:
    code = (
        "import numpy as np\n"
        "from freezepack.codecs.joint import *\n"
        "levels, specs = [np.arange(6).reshape(2, 3) - 2], [JointSpec((2, 3))]\n"
        "data = encode_joint(levels, specs)\n"
        "bits = price_joint(levels, specs)[0]\n"
        "print(data.hex(), decode_joint(data, specs)[0].tolist(), bits > 0)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"FREEZEPACK_NATIVE": "0"},
    )
    levels, specs = [np.arange(6).reshape(2, 3) - 2], [JointSpec((2, 3))]
    assert found.stdout == f"{encode_joint(levels, specs).hex()} [-2, -1, 0, 1, 2, 3] True\n"


@pytest.mark.skipif(native.library() is None, reason="no kernel")
def test_a_million_positions_take_a_moment() -> None:
    levels = np.random.default_rng(2).integers(-1, 2, (1024, 1024))
    specs = [JointSpec((1024, 1024))]
    data = encode_joint([levels], specs)
    assert len(data) < 215_000
    assert np.array_equal(decode_joint(data, specs)[0].reshape(1024, 1024), levels)


def test_a_network_that_holds_nothing_has_prices() -> None:
    specs = [JointSpec((4, 9)), JointSpec((6, 4, 2, 2))]
    bits, prices = price_joint([np.zeros(spec.size, int) for spec in specs], specs)
    assert bits < 20
    assert [round(float(part[3].min())) for part in prices] == [18, 18]
    assert [float(part[2].max()) for part in prices] == [0.0, 0.0]
