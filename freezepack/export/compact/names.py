"""Short names in a graph, and nothing in it that is only for reading."""

from collections.abc import Set

from onnx import AttributeProto, GraphProto, NodeProto

from freezepack.export.compact.graph import short_names


def used_names(graph: GraphProto) -> set[str]:
    """Return the names of all values of a graph."""
    names = {tensor.name for tensor in graph.initializer}
    names |= {value.name for value in [*graph.input, *graph.output]}
    for node in graph.node:
        names.update(node.input, node.output)
        for inner in _subgraphs(node):
            names |= used_names(inner)
    return names


def shorten(graph: GraphProto, keep: Set[str]) -> None:
    """Rename what is neither input, output nor kept; drop node names, texts and types.

    Parameters
    ----------
    graph : GraphProto
        Changed in place. A graph with subgraphs keeps all its names.
    keep : set of str
        Names that stay.
    """
    fixed = set(keep) | {value.name for value in [*graph.input, *graph.output]}
    if any(_subgraphs(node) for node in graph.node):
        fixed |= used_names(graph)
    names = short_names(fixed)
    short = {name: name for name in fixed} | {"": ""}

    def rename(name: str) -> str:
        if name not in short:
            short[name] = next(names)
        return short[name]

    for node in graph.node:
        node.ClearField("name")
        node.ClearField("doc_string")
        del node.metadata_props[:]
        for attribute in node.attribute:
            attribute.ClearField("doc_string")
        for field in (node.input, node.output):
            renamed = [rename(name) for name in field]
            del field[:]
            field.extend(renamed)
    for tensor in graph.initializer:
        tensor.name = rename(tensor.name)
        tensor.ClearField("doc_string")
    for value in [*graph.input, *graph.output]:
        value.ClearField("doc_string")
        del value.metadata_props[:]
    graph.name = "g"
    graph.ClearField("doc_string")
    del graph.value_info[:]
    del graph.metadata_props[:]
    del graph.quantization_annotation[:]


def _subgraphs(node: NodeProto) -> list[GraphProto]:
    found = []
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            found.append(attribute.g)
        found += list(attribute.graphs)
    return found
