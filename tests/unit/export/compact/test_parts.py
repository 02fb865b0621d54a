"""Index, values, guard, memory: the parts of a compact model by themselves."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

import freezepack
import freezepack.numpy
from freezepack.codecs.grid.step import Step
from freezepack.export.compact import estimate_memory
from freezepack.export.compact.coded import Coded
from freezepack.export.compact.functions import OPSET
from freezepack.export.compact.graph import GraphBuilder, make_tensor, short_names
from freezepack.export.compact.groups import make_groups
from freezepack.export.compact.guard import expected_sum
from freezepack.export.compact.index import add_positions, gap_bytes, varint_bytes
from freezepack.export.compact.pair import make_generator
from freezepack.export.compact.plan import Part
from freezepack.export.compact.values import add_integers
from freezepack.rebuild import choose_backend
from freezepack.types import Draw, DType
from tests.unit.export.compact.models import make_part, run, run_reference


def outputs_of(graph: GraphBuilder, *names: str) -> ModelProto:
    """Return a model of what was added, with int64 outputs."""
    made = helper.make_graph(
        graph.nodes,
        "g",
        [],
        [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in names],
        graph.initializers,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 20_000), min_size=1), st.booleans())
def test_positions_come_back(chosen: set[int], dense: bool) -> None:
    positions = np.array(sorted(chosen), np.int64)
    if dense:
        kept = np.setdiff1d(np.arange(20_001), positions)
        positions = kept if kept.size else positions
    graph = GraphBuilder(())
    place = add_positions(graph, positions, 20_001)
    model = outputs_of(graph, place)
    assert np.array_equal(run(model)[0].view(np.int64), positions)
    assert np.array_equal(run_reference(model)[0].view(np.int64), positions)
    assert any(node.op_type == "BitShift" for node in model.graph.node) == (
        gap_bytes(positions) > 2501 + 300
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-(2**24), 2**24), min_size=1, max_size=300))
def test_integers_come_back(values: list[int]) -> None:
    graph = GraphBuilder(())
    model = outputs_of(graph, add_integers(graph, np.array(values, np.int32)))
    assert run(model)[0].view(np.int64).tolist() == values


@pytest.mark.parametrize("kind", ["int8", "int16", "int64"])
def test_integers_are_stored_in_the_shortest_form(kind: str) -> None:
    few = np.array([200] * 10 + [1] * 190, np.int32)
    cases: dict[str, NDArray[np.int32]] = {
        "int8": np.arange(-128, 128, dtype=np.int32),
        "int16": np.full(100, 3000, np.int32),
        "int64": np.tile(few, 3),
    }
    graph = GraphBuilder(())
    add_integers(graph, cases[kind])
    stored = graph.initializers[0]
    assert TensorProto.DataType.Name(stored.data_type).lower() == kind


def test_int64_are_varints_where_that_is_shorter() -> None:
    assert make_tensor("g", np.array([1, 300])).int64_data == [1, 300]
    assert make_tensor("g", np.array([-1, -2])).raw_data == b"\xff" * 8 + b"\xfe" + b"\xff" * 7
    assert varint_bytes(np.array([0, 127, 128, 16_383, 16_384])) == 1 + 1 + 2 + 2 + 3


def test_short_names_leave_out_what_is_taken() -> None:
    names = short_names({"b", "aa"})
    found = [next(names) for _ in range(53)]
    assert found[:2] == ["a", "c"]
    assert found[-3:] == ["Z", "ba", "ca"]


def test_equal_constants_are_stored_once() -> None:
    graph = GraphBuilder(())
    assert graph.integers([1]) == graph.integers([1]) != graph.integers(1)
    assert len(graph.initializers) == 2


def tampered(parts: list[Part], kind: int) -> list[NDArray[Any]]:
    """Return the weights of a graph in which one stored integer is wrong."""
    model = make_generator(parts, arithmetic="i64", guard=True)
    for tensor in model.graph.initializer:
        if kind == 0 and list(tensor.int64_data) == [3, 4]:
            tensor.int64_data[1] += 1
            break
        if kind == 1 and tensor.data_type == TensorProto.UINT32:
            table = np.frombuffer(tensor.raw_data, np.uint32).copy()
            table[31] += 1 << 12
            tensor.raw_data = table.tobytes()
            break
    else:
        raise AssertionError("nothing was changed")
    return [bits.view(np.float32) for bits in run(model)]


@pytest.mark.parametrize("kind", [0, 1], ids=["index", "draw"])
def test_wrong_integers_poison_the_weights(kind: int) -> None:
    (found,) = tampered([make_part("a", (40,), Draw.normal, positions=[3, 7])], kind)
    assert np.isnan(found).sum() == 38


def test_a_wrong_index_poisons_a_pruned_tensor() -> None:
    (found,) = tampered([make_part("a", (40,), None, positions=[3, 7])], 0)
    assert np.isnan(found).sum() == 38


def test_each_group_has_a_guard_of_its_own() -> None:
    normal = make_part("a", (40,), Draw.normal, positions=[3, 7])
    uniform = make_part("b", (40,), Draw.uniform, stream=1)
    first, second = tampered([normal, uniform], 1)
    assert np.isnan(first).sum() == 38
    assert np.array_equal(second.view(np.uint32), uniform.bits)


def test_the_guard_can_be_left_out() -> None:
    part = make_part("a", (40,), Draw.normal, positions=[3, 7])
    sizes = [make_generator([part], arithmetic="i64", guard=g).ByteSize() for g in (False, True)]
    assert 0 < sizes[1] - sizes[0] < 200


def test_the_sum_counts_the_padding() -> None:
    groups = [make_groups([make_part("a", (n,), Draw.uniform, seed=0)])[0] for n in (3, 4)]
    sums = [expected_sum(group, choose_backend()) for group in groups]
    assert sums == [sum((-3387439, 12768139, 7909209, 3539383))] * 2


def grid_part(name: str, multiple: int, shift: int, stream: int) -> Part:
    """Return a normal tensor with values on a grid: (k >> t) + m * q times s * 2**t."""
    part = make_part(name, (6, 10), Draw.normal, stream=stream)
    integers = np.rint(part.bits.view(np.float32) / np.float64(part.init.factor)).astype(np.int64)
    positions = np.array([0, 5, 17, 59])
    q = np.array([1, -3, 200, 0], np.int32)
    sums = (integers[positions] >> shift) + multiple * q.astype(np.int64)
    step = Step(multiple, shift, part.init.bits)
    part.bits[positions] = (sums.astype(np.float32) * step.factor).view(np.uint32)
    coded = Coded("grid", q, DType.float32, step)
    return Part(part.spec, part.init, part.seed, part.bits, positions, coded)


@pytest.mark.parametrize("shifts", [(0, 0), (0, 11), (23, 5)])
def test_grids_count_from_the_integers_of_the_base(shifts: tuple[int, int]) -> None:
    parts = [
        grid_part("a", 128, shifts[0], 0),
        make_part("b", (9,), Draw.normal, stream=5, positions=[2, 8]),
        grid_part("c", 255, shifts[1], 7),
    ]
    model = make_generator(parts, arithmetic="i64", guard=True)
    for found in (run(model), run(model, optimised=True), run_reference(model)):
        for part, bits in zip(parts, found, strict=True):
            assert np.array_equal(bits, part.bits), part.spec.name


def test_memory_grows_with_what_is_drawn() -> None:
    tensors = {"w": np.zeros((1000, 1000), np.float32)}
    with freezepack.open(freezepack.numpy.save(tensors)) as file:
        estimate = estimate_memory(file.header)
    assert (estimate.weights, estimate.folded) == (1_000_000, (16 << 20) + 41_000_000)
    assert not estimate.is_large
    assert str(estimate) == "loading takes about 55 MiB of memory"


def test_large_networks_are_told_of_two_files() -> None:
    weight = np.empty((2000, 1000), np.float32)
    freezepack.random.fill(weight, seed=1, stream=0, draw="normal", scale=0.1)
    data = freezepack.numpy.save({"w": weight}, seed=1, init={"w": ("normal", 0.1)})
    with freezepack.open(data) as file:
        signed, unsigned = (estimate_memory(file.header, arithmetic=a) for a in ("i64", "u64"))
    assert signed.is_large
    assert unsigned.folded < signed.folded
    assert str(signed) == "loading takes about 1.2 GiB of memory; as two files 114 MiB"
