"""Parts without a pack, and what runtimes make of their graphs."""

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from freezepack.export.compact.coded import Coded
from freezepack.export.compact.plan import Part
from freezepack.random import fill_raw
from freezepack.types import Draw, DType, Init, TensorSpec

_UNSIGNED: dict[str, Any] = {
    "bfloat16": ctypes.c_uint16,
    "float16": ctypes.c_uint16,
    "float": ctypes.c_uint32,
    "double": ctypes.c_uint64,
    "int64": ctypes.c_uint64,
    "uint64": ctypes.c_uint64,
}
FACTORS = {
    Draw.constant: 0x3FA00000,
    Draw.uniform: 0x33000001,
    Draw.normal: 0x34000001,
    Draw.truncated_normal: 0x34000003,
    Draw.sign: 0x3DCCCCCD,
}
"""float32 patterns, odd ones, so that products are rounded."""


def make_part(
    name: str,
    shape: tuple[int, ...],
    draw: Draw | None,
    *,
    dtype: DType = DType.float32,
    seed: int = 7,
    stream: int = 0,
    tail: int = 0,
    positions: Any = (),
    factor: int | None = None,
) -> Part:
    """Return a tensor whose trained values are the bits 1, 2, 3, ... of small numbers."""
    spec = TensorSpec(name, shape, dtype)
    init = (
        Init(Draw.constant, 0)
        if draw is None
        else Init(draw, factor or FACTORS[draw], tail, stream)
    )
    bits = np.zeros(spec.size, dtype.raw)
    fill_raw(bits, dtype, key=seed, init=init, start=0)
    places = np.array(positions, np.int64)
    values = np.arange(1, places.size + 1).astype(dtype.raw)
    bits[places] = values
    return Part(spec, init, seed, bits, places, Coded("float", values, dtype))


def run(
    model: ModelProto, *, optimised: bool = False, feed: Mapping[str, Any] | None = None
) -> list[NDArray[Any]]:
    """Run a model in onnxruntime and return the bits of its outputs."""
    options = quiet_options()
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    values = {name: ort.OrtValue.ortvalue_from_numpy(x) for name, x in (feed or {}).items()}
    return [as_bits(value) for value in session.run_with_ort_values(names, values)]


def run_reference(model: ModelProto) -> list[NDArray[Any]]:
    """Run a model without inputs in onnx.reference and return the bits of its outputs."""
    outputs = [np.asarray(value) for value in ReferenceEvaluator(model).run(None, {})]
    return [value.reshape(-1).view(f"u{value.dtype.itemsize}") for value in outputs]


def quiet_options() -> Any:
    """Return options for a session of one thread that warns of nothing."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return options


def lenet(tensors: Mapping[str, NDArray[Any]]) -> ModelProto:
    """Return LeNet-5-Caffe."""
    nodes = [
        helper.make_node("Conv", ["images", "conv1.weight", "conv1.bias"], ["c1"], name="first"),
        helper.make_node("MaxPool", ["c1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Relu", ["p1"], ["r1"]),
        helper.make_node("Conv", ["r1", "conv2.weight", "conv2.bias"], ["c2"]),
        helper.make_node("MaxPool", ["c2"], ["p2"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Relu", ["p2"], ["r2"]),
        helper.make_node("Flatten", ["r2"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc1.weight", "fc1.bias"], ["g1"], transB=1),
        helper.make_node("Relu", ["g1"], ["r3"]),
        helper.make_node("Gemm", ["r3", "fc2.weight", "fc2.bias"], ["logits"], transB=1),
    ]
    return network(nodes, tensors, ("images", ["batch", 1, 28, 28]), ("logits", ["batch", 10]))


def network(
    nodes: Sequence[Any],
    tensors: Mapping[str, NDArray[Any]],
    source: tuple[str, list[Any]],
    sink: tuple[str, list[Any]],
    opset: int = 18,
) -> ModelProto:
    """Return a model of float32 nodes whose initializers are `tensors`."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(source[0], TensorProto.FLOAT, source[1])],
        [helper.make_tensor_value_info(sink[0], TensorProto.FLOAT, sink[1])],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def show_weights(model: ModelProto, tensors: Mapping[str, NDArray[Any]]) -> ModelProto:
    """Return a model with weights as further outputs."""
    shown = ModelProto()
    shown.CopyFrom(model)
    for name, array in tensors.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        shown.graph.output.append(helper.make_tensor_value_info(name, kind, array.shape))
    return shown


def as_bits(value: Any) -> NDArray[Any]:
    """Return the bits of a tensor of onnxruntime, which gives no bfloat16 to NumPy."""
    kind = value.data_type().removeprefix("tensor(").removesuffix(")")
    pointer = ctypes.cast(value.data_ptr(), ctypes.POINTER(_UNSIGNED[kind]))
    size = int(np.prod(value.shape(), dtype=np.int64))
    bits: NDArray[Any] = np.ctypeslib.as_array(pointer, (size,)).copy()
    return bits
