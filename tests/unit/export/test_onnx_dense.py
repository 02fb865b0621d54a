"""A dense ONNX model holds the tensors of the pack as they are."""

from collections.abc import Callable
from functools import cache

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

import freezepack
import freezepack.torch
from freezepack.errors import CheckpointError
from freezepack.export.onnx_dense import dense_model
from freezepack.export.onnx_valid import open_session
from freezepack.models import MODELS
from freezepack.models.build import build_model
from freezepack.nn.state import dense_state


def pack_of(module: nn.Module, **metadata: str) -> bytes:
    return freezepack.torch.save(module.state_dict(), metadata)


def model_of(module: nn.Module, *inputs: Tensor, **options: bool | int) -> onnx.ModelProto:
    with freezepack.open(pack_of(module)) as file:
        return dense_model(file, module, inputs, **options)  # type: ignore[arg-type]


def small() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 5),
    )


@cache
def small_model(lean: bool = False) -> onnx.ModelProto:
    return model_of(small(), torch.zeros(1, 1, 8, 8), lean=lean)


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    bare.graph.ClearField("initializer")
    return bare


@pytest.mark.parametrize("lean", [False, True])
def test_initializers_are_the_tensors_of_the_pack(lean: bool) -> None:
    module, model = small(), small_model(lean)
    onnx.checker.check_model(model, full_check=True)
    state = module.state_dict()
    used = sorted(name for name in state if not name.endswith("num_batches_tracked"))
    tensors = list(model.graph.initializer)[: len(used)]
    assert [tensor.name for tensor in tensors] == used
    for tensor in tensors:
        wanted = state[tensor.name].numpy()
        assert tuple(tensor.dims) == wanted.shape
        assert tensor.raw_data == wanted.tobytes()
    operators = [node.op_type for node in model.graph.node if node.op_type != "Constant"]
    assert operators == [
        "Conv",
        "BatchNormalization",
        "Relu",
        "MaxPool",
        "Flatten" if lean else "Reshape",
        "Gemm",
    ]


def test_the_batch_is_free_and_the_graph_has_no_other_inputs() -> None:
    model = small_model()
    (value,) = model.graph.input
    assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert [dim.dim_value for dim in value.type.tensor_type.shape.dim][1:] == [1, 8, 8]
    assert [output.name for output in model.graph.output] == ["output"]


def test_nothing_of_this_machine_is_in_the_model() -> None:
    data = without_weights(small_model()).SerializeToString()
    for mark in (b"pkg.", b"/", b".py", b"torch"):
        assert mark not in data, mark


def test_the_same_pack_gives_the_same_bytes() -> None:
    first, second = small_model(), model_of(small(), torch.zeros(1, 1, 8, 8))
    assert first.SerializeToString() == second.SerializeToString()


def test_without_weights_only_the_data_is_missing() -> None:
    bare = model_of(small(), torch.zeros(1, 1, 8, 8), weights=False)
    names = [tensor.name for tensor in small_model().graph.initializer]
    assert [tensor.name for tensor in bare.graph.initializer] == names
    assert not any(tensor.HasField("raw_data") for tensor in bare.graph.initializer)


def test_a_lean_model_says_the_same_in_fewer_bytes() -> None:
    full, lean = small_model(), small_model(lean=True)
    sizes = [len(without_weights(model).SerializeToString()) for model in (full, lean)]
    assert sizes[1] < 0.5 * sizes[0]
    assert [a.name for a in lean.graph.node[0].attribute] == ["pads"]
    assert lean.graph.node[0].output[0] != full.graph.node[1].output[0]
    images = {"input": np.linspace(-1, 1, 192, dtype=np.float32).reshape(3, 1, 8, 8)}
    outputs = [
        open_session(model.SerializeToString()).run(None, images)[0] for model in (full, lean)
    ]
    assert np.array_equal(*outputs)


class Reshaped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))

    def forward(self, values: Tensor) -> tuple[Tensor, ...]:
        values = values * self.scale
        return values.reshape(-1, 12), values.reshape(-1, 6), values.reshape(-1, 2, 2, 3)


def test_only_a_reshape_that_keeps_the_batch_needs_no_shape() -> None:
    model = model_of(Reshaped(), torch.zeros(1, 2, 6), lean=True)
    operators = [node.op_type for node in model.graph.node]
    assert sorted(operators) == ["Flatten", "Mul", "Reshape", "Reshape"]
    values = np.arange(36, dtype=np.float32).reshape(3, 2, 6)
    found = open_session(model.SerializeToString()).run(None, {"values": values})
    assert [array.shape for array in found] == [(3, 12), (6, 6), (3, 2, 2, 3)]
    assert len(model.graph.initializer) == 3


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(3, 3)
        self.b = nn.Linear(3, 3)
        self.b.weight = self.a.weight
        self.register_buffer("scale", torch.full((3,), 0.5), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        return self.b(self.a(values)) * self.scale  # type: ignore[no-any-return]


def test_a_tied_weight_is_there_once_under_its_owner() -> None:
    model = model_of(Tied(), torch.zeros(1, 3))
    names = [tensor.name for tensor in model.graph.initializer]
    assert names == ["a.bias", "a.weight", "b.bias"]
    layers = [node for node in model.graph.node if node.op_type == "Gemm"]
    assert [node.input[1] for node in layers] == ["a.weight", "a.weight"]


def test_a_small_constant_is_a_node_and_a_large_one_an_initializer() -> None:
    model = model_of(Tied(), torch.zeros(1, 3))
    (constant,) = [node for node in model.graph.node if node.op_type == "Constant"]
    assert onnx.numpy_helper.to_array(constant.attribute[0].t).tolist() == [0.5, 0.5, 0.5]
    module = Tied()
    module.scale = torch.full((2000, 3), 0.5)
    model = model_of(module, torch.zeros(2000, 3))
    assert model.graph.initializer[-1].name == "scale"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_element_types_are_kept(dtype: torch.dtype) -> None:
    module = nn.Linear(3, 2).to(dtype)
    model = model_of(module, torch.zeros(1, 3, dtype=dtype))
    wanted = {torch.float16: 10, torch.bfloat16: 16, torch.float64: 11}[dtype]
    assert [tensor.data_type for tensor in model.graph.initializer] == [wanted, wanted]


def test_a_frozen_network_is_exported_without_its_overlay() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    batch = torch.linspace(-1, 1, 40).reshape(10, 4), torch.arange(10) % 3
    freezepack.torch.freeze(net, rate=0.5, score="snip", batch=batch, seed=1)
    data = freezepack.torch.save(dense_state(net))
    with freezepack.open(data) as file:
        model = dense_model(file, net, (torch.zeros(1, 4),))
    names = [tensor.name for tensor in model.graph.initializer]
    assert names == ["0.bias", "0.weight", "2.bias", "2.weight"]
    assert type(net[0]).__name__ == "ParametrizedLinear"


class Branches(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values if values.sum() > 0 else -values


class Svd(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return torch.linalg.svdvals(values)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (Branches, (2, 3), "torch cannot export this network: Could not guard on data-dependent"),
        (Svd, (2, 3, 3), r"operator aten\._linalg_svd\.default has no form in ONNX"),
    ],
)
def test_what_cannot_be_traced_is_named(
    make: Callable[[], nn.Module],
    shape: tuple[int, ...],
    message: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with (
        freezepack.open(freezepack.torch.save({})) as file,
        pytest.raises(CheckpointError, match=message),
    ):
        dense_model(file, make(), (torch.zeros(shape),))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("opset", "which"), [(7, "too low"), (17, "too low"), (99, "too high")])
def test_an_opset_out_of_range_is_refused(opset: int, which: str) -> None:
    with pytest.raises(CheckpointError, match=f"opset {opset} is {which}, expected 18 to 25"):
        model_of(nn.Linear(3, 2), torch.zeros(1, 3), opset=opset)


@pytest.mark.slow
@pytest.mark.parametrize("opset", [19, 23, 25])
def test_the_opset_is_the_one_asked_for(opset: int) -> None:
    model = model_of(nn.Linear(3, 2), torch.zeros(1, 3), opset=opset)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", opset)]


def test_another_network_is_refused_by_name() -> None:
    with freezepack.open(pack_of(nn.Linear(3, 2))) as file:
        with pytest.raises(CheckpointError, match=r"weight: float32 \[2, 3\] in the pack"):
            dense_model(file, nn.Linear(4, 2), (torch.zeros(1, 4),))
        with pytest.raises(CheckpointError, match=r"not in the pack: 0\.bias, 0\.weight"):
            dense_model(file, nn.Sequential(nn.Linear(3, 2)), (torch.zeros(1, 3),))


def test_a_constant_without_data_is_refused_by_name() -> None:
    module = Tied()
    data = pack_of(module)
    with (
        freezepack.open(data) as file,
        pytest.raises(CheckpointError, match="the constant 'scale' has no data"),
    ):
        dense_model(file, module.to("meta"), (torch.zeros(1, 3, device="meta"),))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_of_the_zoo_is_exported_from_its_metadata(name: str) -> None:
    module = build_model(name)
    data = pack_of(module, architecture=name)
    with freezepack.open(data) as file:
        model = dense_model(file)
    onnx.checker.check_model(model, full_check=True)
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    for key, value in module.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert held[key].raw_data == np.ascontiguousarray(value.numpy()).tobytes()
