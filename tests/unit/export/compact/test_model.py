"""Compact models of whole networks."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper

import freezepack
import freezepack.numpy
from freezepack.errors import CheckpointError
from freezepack.export.compact import compact_model, load_session, two_file
from freezepack.random import fill
from tests.unit.export.compact.models import (
    lenet,
    network,
    quiet_options,
    run,
    run_reference,
    show_weights,
)

PACKS = Path(__file__).parents[4] / "benchmarks" / "results" / "packs"
REAL = PACKS / "lenet5-caffe-mnist-q0.995-s1.fpk"
DENSE_NODES = {"Gemm", "Relu", "MatMul", "Add", "FusedGemm", "Conv", "FusedConv", "MaxPool"}
DENSE_NODES |= {"Flatten", "Reshape", "ReorderInput", "ReorderOutput"}
Tensors = dict[str, NDArray[Any]]


def small_net(draw: str = "normal", values: str = "auto", trained: float = 0.05) -> bytes:
    """Return a pack of two layers; a share of the weights, and all biases, are trained."""
    rng = np.random.default_rng(1)
    tensors: Tensors = {}
    masks = {}
    for stream, (name, shape) in enumerate([("a.weight", (30, 17)), ("b.weight", (5, 30))]):
        weight = np.empty(shape, np.float32)
        fill(weight, seed=3, stream=2 * stream + 1, draw=draw, scale=0.1)
        masks[name] = rng.random(shape) < trained
        weight[masks[name]] += rng.normal(0, 0.1, int(masks[name].sum())).astype(np.float32)
        tensors[name] = weight
        tensors[name.replace("weight", "bias")] = rng.normal(0, 1, shape[0]).astype(np.float32)
    init = dict.fromkeys(masks, (draw, 0.1))
    return freezepack.numpy.save(tensors, seed=3, init=init, masks=masks, values=values)


def small_model(tensors: Tensors, opset: int = 18) -> ModelProto:
    """Return the dense model of `small_net`."""
    nodes = [
        helper.make_node("Gemm", ["x", "a.weight", "a.bias"], ["h"], transB=1, name="n"),
        helper.make_node("Relu", ["h"], ["r"], doc_string="text"),
        helper.make_node("Gemm", ["r", "b.weight", "b.bias"], ["y"], transB=1),
    ]
    return network(nodes, tensors, ("x", ["batch", 17]), ("y", ["batch", 5]), opset)


def check_weights(dense: ModelProto, model: ModelProto, tensors: Tensors, feed: Tensors) -> None:
    """Compare weights and outputs, folded and not."""
    onnx.checker.check_model(model, full_check=True)
    wanted = [array.reshape(-1).view(f"u{array.itemsize}") for array in tensors.values()]
    for optimised in (False, True):
        found = run(show_weights(model, tensors), optimised=optimised, feed=feed)
        for bits, expected in zip(found[1:], wanted, strict=True):
            assert np.array_equal(bits, expected)
    # Only when folded are the weights constants, which runtimes lay out for speed.
    (output,), (expected,) = (run(each, optimised=True, feed=feed) for each in (model, dense))
    assert np.array_equal(output, expected)


@pytest.mark.parametrize("arithmetic", ["i64", "u64"])
@pytest.mark.parametrize("draw", ["normal", "uniform", "sign", "constant"])
def test_weights_and_outputs_are_those_of_the_dense_model(draw: str, arithmetic: str) -> None:
    with freezepack.open(small_net(draw)) as file:
        tensors = file.get_tensors()
        dense = small_model(tensors)
        before = dense.SerializeToString()
        model = compact_model(dense, file, arithmetic=arithmetic)
    assert dense.SerializeToString() == before
    feed = {"x": np.random.default_rng(0).normal(size=(3, 17)).astype(np.float32)}
    check_weights(dense, model, tensors, feed)


@pytest.mark.parametrize("values", ["fp16", "bf16", "raw", "auto"])
def test_values_in_any_form(values: str) -> None:
    with freezepack.open(small_net(values=values, trained=0.4)) as file:
        tensors = file.get_tensors()
        dense = small_model(tensors)
        kept = compact_model(dense, file)
        exact = compact_model(dense, file, values="exact")
    feed = {"x": np.ones((1, 17), np.float32)}
    check_weights(dense, kept, tensors, feed)
    check_weights(dense, exact, tensors, feed)
    assert (kept.ByteSize() < exact.ByteSize()) == (values in ("fp16", "bf16"))


def test_a_pruned_net_needs_no_generator() -> None:
    rng = np.random.default_rng(0)
    tensors: Tensors = {
        "a.weight": np.where(rng.random((30, 17)) < 0.1, 1.5, 0).astype(np.float32),
        "a.bias": np.zeros(30, np.float32),
        "b.weight": np.where(rng.random((5, 30)) < 0.1, rng.normal(size=(5, 30)), 0).astype("f4"),
        "b.bias": np.ones(5, np.float32),
    }
    with freezepack.open(freezepack.numpy.save(tensors)) as file:
        model = compact_model(small_model(tensors), file)
    assert not model.functions
    check_weights(small_model(tensors), model, tensors, {"x": np.ones((1, 17), np.float32)})


@pytest.mark.parametrize("level", ["ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"])
@pytest.mark.parametrize("draw", ["normal", "uniform", "sign"])
@pytest.mark.parametrize("trained", [0.05, 0.6])
def test_nothing_of_the_generator_is_left(
    tmp_path: Path, draw: str, level: str, trained: float
) -> None:
    with freezepack.open(small_net(draw, trained=trained)) as file:
        tensors = file.get_tensors()
        model = compact_model(small_model(tensors), file)
    operators = {node.op_type for node in folded(model, level, tmp_path).graph.node}
    assert operators <= DENSE_NODES
    assert not {"NonZero", "Compress", "Loop", "Scan", "If"} & all_operators(model)


def folded(model: ModelProto, level: str, folder: Path) -> ModelProto:
    """Return what a session makes of a model."""
    options = quiet_options()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(folder / "folded.onnx")
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(folder / "folded.onnx")


def all_operators(model: ModelProto) -> set[str]:
    """Return the operators of a model and its functions."""
    nodes = [*model.graph.node, *(node for f in model.functions for node in f.node)]
    return {node.op_type for node in nodes}


def test_names_of_inputs_outputs_and_weights_stay() -> None:
    with freezepack.open(small_net()) as file:
        model = compact_model(small_model(file.get_tensors()), file)
    assert ([v.name for v in model.graph.input], [v.name for v in model.graph.output]) == (
        ["x"],
        ["y"],
    )
    made = {name for node in model.graph.node for name in node.output}
    made |= {tensor.name for tensor in model.graph.initializer}
    assert {"a.weight", "b.weight", "a.bias", "b.bias"} <= made
    assert not any(node.name or node.doc_string for node in model.graph.node)
    assert model.ir_version >= 8


@pytest.mark.parametrize("arithmetic", ["i64", "u64"])
def test_two_files_make_the_same_session(tmp_path: Path, arithmetic: str) -> None:
    with freezepack.open(small_net()) as file:
        dense = small_model(file.get_tensors())
        generator, skeleton = two_file(dense, file, arithmetic=arithmetic)
    for name, model in (("g", generator), ("s", skeleton)):
        (tmp_path / name).write_bytes(model.SerializeToString())
    feed = {"x": np.random.default_rng(0).normal(size=(3, 17)).astype(np.float32)}
    wanted = ort.InferenceSession(dense.SerializeToString()).run(None, feed)[0]
    sources: list[tuple[Any, Any]] = [
        (tmp_path / "g", str(tmp_path / "s")),
        (generator.SerializeToString(), skeleton.SerializeToString()),
    ]
    for pair in sources:
        session = load_session(*pair, options=quiet_options())
        assert np.array_equal(session.run(None, feed)[0], wanted)


@pytest.mark.slow
def test_two_files_of_a_large_net() -> None:
    weight = np.empty((1300, 1701), np.float32)
    fill(weight, seed=3, stream=0, draw="normal", scale=0.1)
    weight[7, ::5] = 0.5
    data = freezepack.numpy.save({"w": weight}, seed=3, init={"w": ("normal", 0.1)})
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    dense = network([node], {"w": weight}, ("x", [1, 1300]), ("y", [1, 1701]))
    with freezepack.open(data) as file:
        generator, skeleton = two_file(dense, file)
    assert sum(node.op_type == "Words" for node in generator.graph.node) == 3
    session = load_session(generator.SerializeToString(), skeleton.SerializeToString())
    (found,) = run(generator)
    assert np.array_equal(found, weight.reshape(-1).view(np.uint32))
    feed = {"x": np.ones((1, 1300), np.float32)}
    wanted = ort.InferenceSession(dense.SerializeToString()).run(None, feed)[0]
    assert np.array_equal(session.run(None, feed)[0], wanted)


def test_skeletons_say_where_javascript_finds_the_weights() -> None:
    with freezepack.open(small_net()) as file:
        generator, skeleton = two_file(small_model(file.get_tensors()), file)
    entries = [
        (tensor.name, {entry.key: entry.value for entry in tensor.external_data})
        for tensor in skeleton.graph.initializer
    ]
    assert [name for name, _ in entries] == [output.name for output in generator.graph.output]
    assert entries[:2] == [
        ("a.bias", {"location": "weights", "offset": "0", "length": "120"}),
        ("a.weight", {"location": "weights", "offset": "120", "length": "2040"}),
    ]


def test_a_dense_model_without_weights_will_do() -> None:
    with freezepack.open(small_net()) as file:
        dense = small_model(file.get_tensors())
        empty = ModelProto()
        empty.CopyFrom(dense)
        for tensor in empty.graph.initializer:
            tensor.ClearField("raw_data")
        assert compact_model(empty, file) == compact_model(dense, file)


@pytest.mark.parametrize("opset", [19, 20, 21, 22, 23])
def test_later_opsets_will_do(opset: int, tmp_path: Path) -> None:
    with freezepack.open(small_net(trained=0.6)) as file:
        tensors = file.get_tensors()
        dense = small_model(tensors, opset=opset)
        model = compact_model(dense, file)
    check_weights(dense, model, tensors, {"x": np.ones((1, 17), np.float32)})
    operators = {n.op_type for n in folded(model, "ORT_ENABLE_ALL", tmp_path).graph.node}
    assert operators <= DENSE_NODES


def test_an_old_opset_is_refused() -> None:
    with freezepack.open(small_net()) as file:
        dense = small_model(file.get_tensors(), opset=17)
        with pytest.raises(CheckpointError, match="opset 17, compact ONNX needs 18"):
            compact_model(dense, file)


def test_other_weights_are_refused() -> None:
    with freezepack.open(small_net()) as file:
        tensors = file.get_tensors()
        changed = tensors["a.weight"].copy()
        changed[0, 0] += 1
        dense = small_model(tensors | {"a.weight": changed})
        with pytest.raises(CheckpointError, match=r"'a.weight' differs .* in 1 of 510 elements"):
            compact_model(dense, file)
        dense = small_model(tensors | {"a.weight": np.ones((17, 30), np.float32)})
        with pytest.raises(
            CheckpointError, match=r"'a.weight' is float \[17, 30\] in the model, e"
        ):
            compact_model(dense, file)
        dense = small_model({n: t for n, t in tensors.items() if n != "b.weight"})
        with pytest.raises(CheckpointError, match=r"no initializer 'b.weight', which the pack"):
            compact_model(dense, file)


def test_a_base_outside_the_pack_is_refused(tmp_path: Path) -> None:
    tensors = freezepack.numpy.load(small_net())
    base = {name: np.ones_like(array) for name, array in tensors.items()}
    base["a.weight"] = tensors["a.weight"].copy()
    base["a.weight"][0, 0] = 3
    first = tmp_path / "first.fpk"
    freezepack.numpy.save_file(base, first)
    second = freezepack.numpy.save(tensors, base=first)
    with freezepack.open(second, base=first) as file:
        dense = small_model(file.get_tensors())
        with pytest.raises(CheckpointError, match=r"'a.weight' has a base outside the pack"):
            compact_model(dense, file)


def test_unknown_options_are_refused() -> None:
    with freezepack.open(small_net()) as file:
        dense = small_model(file.get_tensors())
        with pytest.raises(ValueError, match="arithmetic is 'i32', expected one of i64, u64"):
            compact_model(dense, file, arithmetic="i32")
        with pytest.raises(ValueError, match="values is 'fp8', expected one of keep, exact"):
            compact_model(dense, file, values="fp8")


def test_tied_weights_and_other_initializers_stay_what_they_are() -> None:
    weight = np.empty((6, 6), np.float32)
    fill(weight, seed=3, stream=0, draw="normal", scale=0.1)
    init = {"a": ("normal", 0.1)}
    data = freezepack.numpy.save({"a": weight, "b": weight}, seed=3, init=init)
    extra = np.arange(6, dtype=np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "b"], ["h"]),
        helper.make_node("Add", ["h", "extra"], ["y"]),
    ]
    dense = network(nodes, {"b": weight, "extra": extra}, ("x", [1, 6]), ("y", [1, 6]))
    with freezepack.open(data) as file:
        model = compact_model(dense, file)
    feed = {"x": np.ones((1, 6), np.float32)}
    check_weights(dense, model, {"b": weight}, feed)


def real_tensors(path: Path) -> tuple[ModelProto, ModelProto, Tensors]:
    """Return dense and compact model and the tensors of a LeNet-5."""
    with freezepack.open(path) as file:
        tensors = file.get_tensors()
        dense = lenet(tensors)
        return dense, compact_model(dense, file), tensors


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(PACKS.glob("*.fpk")), ids=lambda path: path.stem)
def test_real_packs(path: Path, tmp_path: Path) -> None:
    dense, model, tensors = real_tensors(path)
    images = np.random.default_rng(0).normal(size=(2, 1, 28, 28)).astype(np.float32)
    check_weights(dense, model, tensors, {"images": images})
    reference = run_reference(weights_alone(model, tensors))
    for bits, array in zip(reference, tensors.values(), strict=True):
        assert np.array_equal(bits, array.reshape(-1).view("u4"))
    for level in ("ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"):
        assert {n.op_type for n in folded(model, level, tmp_path).graph.node} <= DENSE_NODES


def weights_alone(model: ModelProto, tensors: Tensors) -> ModelProto:
    """Return a model whose outputs are its weights only, without inputs."""
    alone = show_weights(model, tensors)
    del alone.graph.input[:]
    del alone.graph.output[0]
    needed = [n for n in alone.graph.node if n.op_type not in DENSE_NODES - {"Reshape", "Add"}]
    del alone.graph.node[:]
    alone.graph.node.extend(needed)
    return alone


def test_a_real_pack_is_a_hundredth_of_the_dense_file() -> None:
    assert real_tensors(REAL)[1].ByteSize() <= 17_800


@pytest.mark.parametrize(("values", "most"), [("grid:5", 11_500), ("fp16", 12_500)])
@pytest.mark.slow
def test_rounded_values_are_stored_short(values: str, most: int, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from freezepack.cli import cli

    path = tmp_path / "rounded.fpk"
    done = CliRunner().invoke(cli, ["pack", str(REAL), "-o", str(path), "--values", values])
    assert done.exit_code == 0, done.output
    dense, model, tensors = real_tensors(path)
    assert model.ByteSize() <= most
    check_weights(dense, model, tensors, {"images": np.ones((1, 1, 28, 28), np.float32)})
