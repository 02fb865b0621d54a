"""Batch normalisation is folded where that changes nothing but rounding."""

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import freezepack
import freezepack.torch
from freezepack.export.onnx_dense import dense_model
from freezepack.export.onnx_fold import fold_batchnorm
from freezepack.export.onnx_valid import open_session

BIAS = np.array([0.5, -1.0], np.float32)
WEIGHT = np.array([[1, 2], [3, 4]], np.float32)
NORM = {
    "scale": np.array([2, 0.5], np.float32),
    "shift": np.array([1, -1], np.float32),
    "mean": np.array([0.5, 4], np.float32),
    "variance": np.array([0.25, 4], np.float32),
}


def gemm_and_norm(tail: str = "", bias: bool = True, trans: int = 1) -> onnx.ModelProto:
    """Return x @ w.T + b, normalised; `tail` is another reader: of the output or of the weight."""
    inputs = ["x", "w", "b"][: 3 if bias else 2]
    nodes = [
        helper.make_node("Gemm", inputs, ["h"], transB=trans),
        helper.make_node("BatchNormalization", ["h", *NORM], ["y"], epsilon=0.0),
    ]
    if tail:
        nodes.append(helper.make_node("Identity", [tail], ["z"]))
    tensors = [numpy_helper.from_array(v, k) for k, v in {"w": WEIGHT, "b": BIAS, **NORM}.items()]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2])
        for name in ("x", "y", "z")[: 3 if tail else 2]
    ]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def fold(model: onnx.ModelProto, *, in_graph: bool = False) -> int:
    with freezepack.open(freezepack.torch.save({})) as file:
        return fold_batchnorm(model, file, in_graph=in_graph)


def run(model: onnx.ModelProto, values: NDArray[Any]) -> NDArray[Any]:
    onnx.checker.check_model(model, full_check=True)
    found: NDArray[Any] = open_session(model.SerializeToString()).run(None, {"x": values})[0]
    return found


def test_weight_and_bias_are_scaled_by_hand() -> None:
    model = gemm_and_norm()
    assert fold(model) == 1
    found = {t.name: numpy_helper.to_array(t).tolist() for t in model.graph.initializer}
    # factors 2 / 0.5 and 0.5 / 2; shifts (0.5 - 0.5) * 4 + 1 and (-1 - 4) / 4 - 1
    assert found == {"w.folded": [[4.0, 8.0], [0.75, 1.0]], "w.shift": [1.0, -2.25]}
    assert [node.op_type for node in model.graph.node] == ["Gemm"]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("in_graph", [True, False])
def test_outputs_stay_the_same(bias: bool, in_graph: bool) -> None:
    values = np.array([[1, -2], [0.5, 3]], np.float32)
    wanted = run(gemm_and_norm(bias=bias), values)
    model = gemm_and_norm(bias=bias)
    assert fold(model, in_graph=in_graph) == 1
    assert np.array_equal(run(model, values), wanted)
    held = {t.name: t for t in model.graph.initializer}
    if in_graph:
        assert numpy_helper.to_array(held["w"]).tolist() == WEIGHT.tolist()
        assert numpy_helper.to_array(held["w.factor"]).tolist() == [[4.0], [0.25]]


@pytest.mark.parametrize("tail", ["h", "w"])
def test_a_layer_that_is_read_elsewhere_keeps_its_norm(tail: str) -> None:
    model = gemm_and_norm(tail)
    before = model.SerializeToString()
    assert fold(model) == 0
    assert model.SerializeToString() == before


def test_a_weight_by_columns_keeps_its_norm() -> None:
    model = gemm_and_norm(trans=0)
    assert fold(model) == 0
    assert [node.op_type for node in model.graph.node] == ["Gemm", "BatchNormalization"]


def test_a_network_is_folded_from_the_pack() -> None:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(1, 3, 3, bias=False), nn.BatchNorm2d(3), nn.ReLU())
    nn.init.normal_(net[1].running_mean)  # type: ignore[arg-type]
    nn.init.uniform_(net[1].running_var, 0.5, 2)  # type: ignore[arg-type]
    data = freezepack.torch.save(net.state_dict())
    with freezepack.open(data) as file:
        model = dense_model(file, net, (torch.zeros(1, 1, 5, 5),), weights=False)
        assert fold_batchnorm(model, file) == 1
    assert [t.name for t in model.graph.initializer] == ["0.weight.folded", "0.weight.shift"]
    images = torch.linspace(-2, 2, 50).reshape(2, 1, 5, 5)
    found = open_session(model.SerializeToString()).run(None, {"input": images.numpy()})[0]
    assert np.allclose(found, net.eval()(images).detach().numpy(), atol=1e-6)
