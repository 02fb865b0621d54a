"""Weights in a graph are the pack's, bit for bit."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import checker

from freezepack.export.compact.coded import Coded
from freezepack.export.compact.pair import make_generator
from freezepack.export.compact.plan import Part
from freezepack.types import Draw, DType
from tests.unit.export.compact.models import make_part, run, run_reference

FLOATS = [DType.float32, DType.float16, DType.bfloat16, DType.float64]
TAILS = {Draw.truncated_normal: 195_422_145}
DRAWS = [Draw.uniform, Draw.normal, Draw.truncated_normal, Draw.sign, Draw.constant, None]


def check(parts: Sequence[Part], arithmetic: str = "i64", most: int | None = None) -> None:
    """Compare all tensors in every runtime."""
    model = make_generator(parts, arithmetic=arithmetic, guard=True, most=most)
    checker.check_model(model, full_check=True)
    for found in (run(model), run(model, optimised=True), run_reference(model)):
        for part, bits in zip(parts, found, strict=True):
            assert np.array_equal(bits, part.bits), part.spec


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: draw.name if draw else "zeros")
def test_every_draw_in_every_type(draw: Draw | None, dtype: DType) -> None:
    tail = TAILS.get(draw, 0) if draw else 0
    check(
        [
            make_part("a", (7, 11), draw, dtype=dtype, tail=tail, positions=[0, 3, 76]),
            make_part("b", (301,), draw, dtype=dtype, tail=tail, stream=5),
        ]
    )


@pytest.mark.parametrize("draw", DRAWS[:4], ids=lambda draw: draw.name)
def test_unsigned_arithmetic_gives_the_same(draw: Draw) -> None:
    check([make_part("a", (513,), draw, tail=TAILS.get(draw, 0), positions=[1])], "u64")


def test_several_draws_streams_and_seeds_in_one_graph() -> None:
    check(
        [
            make_part("a", (5, 5), Draw.normal, positions=[24], stream=2**40 + 5),
            make_part("b", (9,), Draw.normal, seed=2**63 + 11, stream=1),
            make_part("c", (130,), Draw.sign, positions=[129], stream=2),
            make_part("d", (3,), Draw.uniform, stream=3),
            make_part("e", (50,), Draw.truncated_normal, tail=195_422_145),
            make_part("f", (50,), Draw.truncated_normal, tail=1),
            make_part("g", (6,), Draw.constant),
            make_part("h", (2, 3), None, positions=range(6)),
            make_part("i", (), Draw.normal),
            make_part("j", (40,), Draw.normal, dtype=DType.float16),
        ]
    )


def test_tensors_that_are_equal_are_made_each() -> None:
    twins = [make_part(name, (300,), None) for name in "ab"]
    check(twins, most=256)
    check([make_part(name, (9,), Draw.constant) for name in "abc"])
    value = np.array([0x3F800001], np.uint32)
    ones = [
        replace(
            make_part(name, shape, None, positions=range(6)),
            bits=np.repeat(value, 6),
            coded=Coded("constant", value, DType.float32, count=6),
        )
        for name, shape in (("a", (6,)), ("b", (6,)), ("c", (2, 3)), ("d", (6,)))
    ]
    check(ones)


def test_subnormal_halves_are_rounded_once() -> None:
    part = make_part("a", (4000,), Draw.uniform, dtype=DType.float16, factor=0x2A000001)
    assert (part.bits & 0x7C00 == 0).mean() > 0.9
    check([part])
    check([make_part("a", (4000,), Draw.normal, dtype=DType.float16, factor=0x2B000001)])


def test_a_dense_mask_is_a_bitmap() -> None:
    positions = np.flatnonzero(np.random.default_rng(0).random(20_001) < 0.5)
    part = make_part("a", (20_001,), Draw.uniform, positions=positions)
    size = make_generator([part], arithmetic="i64", guard=True).ByteSize()
    assert size < 20_001 / 8 + 4 * positions.size + 3000
    check([part])


def test_large_tensors_are_cut_into_calls() -> None:
    parts = [
        make_part("a", (1000,), Draw.normal, positions=[0, 255, 256, 999]),
        make_part("b", (300,), Draw.normal, stream=1, positions=[299]),
        make_part("c", (700,), Draw.sign, stream=2),
        make_part("d", (600,), None, positions=[5]),
    ]
    check(parts, most=256)
    model = make_generator(parts, arithmetic="i64", guard=True, most=256)
    assert sum(node.op_type == "Words" for node in model.graph.node) == 9


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 40),
            st.sampled_from(DRAWS),
            st.integers(0, 2**64 - 1),
            st.integers(0, 2**63 - 1),
            st.sets(st.integers(0, 39)),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_tensors(cases: list[tuple[int, Draw | None, int, int, set[int]]]) -> None:
    parts = [
        make_part(
            f"t{i}",
            (size,),
            draw,
            seed=seed,
            stream=stream,
            tail=TAILS.get(draw, 0) if draw else 0,
            positions=sorted(p for p in positions if p < size),
        )
        for i, (size, draw, seed, stream, positions) in enumerate(cases)
    ]
    model = make_generator(parts, arithmetic="i64", guard=True)
    for part, bits in zip(parts, run(model), strict=True):
        assert np.array_equal(bits, part.bits)
