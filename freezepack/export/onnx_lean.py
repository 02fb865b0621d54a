"""An ONNX graph with fewer bytes and the same meaning."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

_ONES = {"dilations", "strides"}


def strip_notes(model: onnx.ModelProto) -> None:
    """Remove what a tracer notes of itself: source lines, traces, texts; in place.

    They name files of the machine that exported, and differ from run to run.
    """
    graph = model.graph
    parts = [*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer]
    for part in (model, graph, *parts, *model.functions):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def make_lean(model: onnx.ModelProto, names: Collection[str]) -> None:
    """Remove shapes of inner values, names of nodes and attributes at their defaults; in place.

    Inputs, outputs and the initializers in `names` keep their names; all other values get short
    ones.
    """
    from freezepack.export.compact.names import shorten

    graph = model.graph
    _flatten(graph)
    _plain_reshapes(graph)
    opset = next(entry.version for entry in model.opset_import if not entry.domain)
    for node in graph.node:
        _drop_defaults(node, opset)
    shorten(graph, keep=set(names))


def _drop_defaults(node: onnx.NodeProto, opset: int) -> None:
    from onnx import defs, helper

    schema = defs.get_schema(node.op_type, opset, node.domain)
    kept = []
    for attribute in node.attribute:
        default = schema.attributes[attribute.name].default_value
        value = helper.get_attribute_value(attribute)
        if default.name and helper.get_attribute_value(default) == value:
            continue
        if _is_implied(node.op_type, attribute.name, value):
            continue
        kept.append(attribute)
    if len(kept) < len(node.attribute):
        copies = [type(attribute).FromString(attribute.SerializeToString()) for attribute in kept]
        node.ClearField("attribute")
        node.attribute.extend(copies)


def _is_implied(operator: str, name: str, value: object) -> bool:
    """Return whether the specification gives a list this value where it is not there."""
    if not operator.endswith(("Conv", "Pool")) or not isinstance(value, Iterable):
        return False
    if name == "kernel_shape":
        return operator == "Conv"  # the shape of the weight says it
    items = list(value)
    return (name in _ONES and set(items) == {1}) or (name == "pads" and set(items) == {0})


def _flatten(graph: onnx.GraphProto) -> None:
    """Turn a Reshape that joins all dimensions but the first into Flatten, which needs no shape."""
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
    dropped = set()
    for node in [node for node in graph.node if node.op_type == "Reshape"]:
        before, after = (shapes.get(name, []) for name in (node.input[0], node.output[0]))
        # a length that is not known is 0 here
        if len(before) > 1 and len(after) == 2 and before[0] == after[0] != 0:
            dropped.add(node.input.pop())
            node.ClearField("attribute")
            node.op_type = "Flatten"
    dropped -= {name for node in graph.node for name in node.input}
    for i in reversed(range(len(graph.initializer))):
        if graph.initializer[i].name in dropped:
            del graph.initializer[i]


def _plain_reshapes(graph: onnx.GraphProto) -> None:
    """Take off `allowzero` where the shape is a constant without 0: it changes nothing there."""
    from onnx import numpy_helper

    shapes = {t.name: t for t in graph.initializer if t.HasField("raw_data")}
    for node in graph.node:
        shape = shapes.get(node.input[1]) if node.op_type == "Reshape" else None
        if shape is not None and numpy_helper.to_array(shape).all():
            node.ClearField("attribute")
