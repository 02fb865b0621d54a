"""Batch normalisation folded into the layer before it; only for those who ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from freezepack.export.onnx_dense import tensor_data

if TYPE_CHECKING:
    import onnx

    from freezepack.handle import PackFile

Float64 = NDArray[np.float64]


def fold_batchnorm(model: onnx.ModelProto, file: PackFile, *, in_graph: bool = False) -> int:
    """Fold each BatchNormalization that follows a Conv or Gemm into it; in place.

    Parameters
    ----------
    model : ModelProto
        As from `dense_model`.
    file : PackFile
        The pack that fills the initializers without data.
    in_graph : bool
        False replaces the weight: the initializer is no longer that of the pack. True leaves it
        and multiplies it in the graph, which runtimes do once, when they load the model.

    Returns
    -------
    int
        How many were folded. One stays that has no such layer before it, or one of which
        the weight or the output is used elsewhere.

    Notes
    -----
    With f = scale / sqrt(variance + epsilon), the weight becomes w * f and the bias
    (bias - mean) * f + shift, in float64, rounded once.
    """
    folded = 0
    for node in [n for n in model.graph.node if n.op_type == "BatchNormalization"]:
        layer = _layer_before(model.graph, node)
        if layer is not None:
            _fold(model, file, layer, node, in_graph)
            folded += 1
    _drop_unused(model.graph)
    return folded


def _layer_before(graph: onnx.GraphProto, norm: onnx.NodeProto) -> onnx.NodeProto | None:
    name = norm.input[0]
    layer = next((node for node in graph.node if name in node.output), None)
    if layer is None or not (layer.op_type == "Conv" or _is_linear(layer)):
        return None
    tensors = {tensor.name for tensor in graph.initializer}
    readers = [n for n in graph.node if name in n.input or layer.input[1] in n.input]
    is_output = any(value.name == name for value in graph.output)
    known = {*layer.input[1:], *norm.input[1:]} <= tensors
    alone = readers in ([layer, norm], [norm, layer])
    return layer if known and alone and not is_output else None


def _is_linear(node: onnx.NodeProto) -> bool:
    """Return whether a node is x @ w.T + b, its weight one row for each output."""
    from onnx import helper

    values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    plain = (values.get("alpha", 1), values.get("beta", 1), values.get("transA", 0)) == (1, 1, 0)
    return node.op_type == "Gemm" and values.get("transB", 0) == 1 and plain


def _fold(
    model: onnx.ModelProto,
    file: PackFile,
    layer: onnx.NodeProto,
    norm: onnx.NodeProto,
    in_graph: bool,
) -> None:
    from onnx import helper, numpy_helper

    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    scale, shift, mean, variance = (_read(tensors[name], file) for name in norm.input[1:5])
    epsilon = next((a.f for a in norm.attribute if a.name == "epsilon"), 1e-5)
    factor = scale / np.sqrt(variance + epsilon)
    weight = tensors[layer.input[1]]
    old = _read(tensors[layer.input[2]], file) if len(layer.input) > 2 else np.zeros(len(scale))
    kind = helper.tensor_dtype_to_np_dtype(weight.data_type)

    def add(name: str, value: Float64) -> str:
        graph.initializer.append(numpy_helper.from_array(value.astype(kind), name))
        return name

    taken = set(tensors)
    columns = factor.reshape(-1, *[1] * (len(weight.dims) - 1))
    if in_graph:
        made = _new_name(f"{weight.name}.folded", taken)
        inputs = [weight.name, add(_new_name(f"{weight.name}.factor", taken), columns)]
        place = list(graph.node).index(layer)
        graph.node.insert(place, helper.make_node("Mul", inputs, [made]))
        layer = graph.node[place + 1]
    else:
        made = add(_new_name(f"{weight.name}.folded", taken), _read(weight, file) * columns)
    bias = add(_new_name(f"{weight.name}.shift", taken), (old - mean) * factor + shift)
    layer.input[:] = [layer.input[0], made, bias]
    layer.output[0] = norm.output[0]
    graph.node.remove(norm)


def _read(tensor: onnx.TensorProto, file: PackFile) -> Float64:
    from onnx import numpy_helper

    copied = type(tensor)()
    copied.CopyFrom(tensor)
    if not tensor.HasField("raw_data"):
        copied.raw_data = tensor_data(tensor.name, file).tobytes()
    found: NDArray[Any] = numpy_helper.to_array(copied)
    return found.astype(np.float64)


def _new_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    used.update(value.name for value in graph.output)
    for i in reversed(range(len(graph.initializer))):
        if graph.initializer[i].name not in used:
            del graph.initializer[i]
    made = {name for node in graph.node for name in node.output}
    for i in reversed(range(len(graph.value_info))):
        if graph.value_info[i].name not in made:
            del graph.value_info[i]
