"""The dense ONNX model of a pack: weights under the names of its state dict, bit for bit."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import parametrize

from freezepack import __version__
from freezepack.checkpoints.onnx_tensors import ONNX_TYPES
from freezepack.errors import CheckpointError
from freezepack.export.architecture import build_from_metadata
from freezepack.export.onnx_lean import make_lean, strip_notes
from freezepack.export.onnx_trace import DEFAULT_OPSET, check_opset, require_onnx, trace
from freezepack.handle import PackFile
from freezepack.matching import check_forms, check_ties, match_names
from freezepack.nn.overlay import Overlay
from freezepack.nn.state import named_state, unwrap

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir

OUTPUT = "output"
"""Name of the output; `output_0`, ... where there are more."""
IR_VERSION = 8
"""The first with functions; every runtime that reads opset 18 knows it."""
MOST_IN_NODE = 4096
"""Larger constants stay initializers."""


def dense_model(
    file: PackFile,
    module: nn.Module | None = None,
    inputs: tuple[Any, ...] | None = None,
    *,
    opset: int = DEFAULT_OPSET,
    lean: bool = False,
    weights: bool = True,
) -> onnx.ModelProto:
    """Return the network of a pack as an ONNX model.

    Initializers carry names, shapes, element types and bits exactly as in the pack, in file order:
    nothing is transposed, folded or renamed. A tied weight is there once, under the name that owns
    it; what the network does not use in evaluation (counters of BatchNorm) is not there. Small
    constants of the graph are nodes, large ones come behind the tensors of the pack.

    Parameters
    ----------
    file : PackFile
        The open pack.
    module : torch.nn.Module, optional
        The network; default: the one that the metadata names. Only its structure is used, its
        weights may be on the device "meta". Not changed.
    inputs : tuple, optional
        Example arguments for `module`. The first dimension of each tensor, the batch, is free.
    opset : int
        Version of the standard operators.
    lean : bool
        Leave out what only costs bytes: names of nodes, shapes of inner values, attributes at
        their defaults. Constants are initializers then, because that is shorter.
    weights : bool
        False leaves the initializers that the pack fills without data.

    Raises
    ------
    CheckpointError
        If the network cannot be traced, or its tensors are not those of the pack.
    MissingExtraError
        If onnx, onnxscript or onnxruntime is not installed.

    Examples
    --------
    >>> import freezepack, freezepack.torch
    >>> net = nn.Linear(3, 2)
    >>> with freezepack.open(freezepack.torch.save(net.state_dict())) as file:
    ...     model = dense_model(file, net, (torch.zeros(1, 3),))
    >>> [(tensor.name, list(tensor.dims)) for tensor in model.graph.initializer]
    [('bias', [2]), ('weight', [2, 3])]
    """
    require_onnx("export to ONNX")
    check_opset(opset)
    if module is None:
        module = zoo_network(file.header.metadata)
        inputs = example_inputs(module)
    if inputs is None:
        raise CheckpointError("a network of your own needs example inputs")
    plain = plain_module(module)
    sources = match_pack(plain, file)
    traced = trace(plain, inputs, sources, opset)
    model = _to_proto(traced, sources, file)
    strip_notes(model)
    if lean:
        make_lean(model, file.header.tensors)
    else:
        _place_constants(model, file)
    if weights:
        place_weights(model, file)
    return model


def zoo_network(metadata: Mapping[str, str]) -> nn.Module:
    """Build the network that metadata names, without memory for its weights."""
    try:
        with torch.device("meta"):
            return build_from_metadata(metadata)
    except (TypeError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"the network cannot be built: {error}") from None


def example_inputs(module: nn.Module) -> tuple[Tensor, ...]:
    """Return inputs for a model of ours, on the device of its weights."""
    shape: tuple[int, ...] = module.input_shape  # type: ignore[assignment]
    device = next(module.parameters()).device
    return (torch.zeros(2, *shape, device=device),)


def plain_module(module: nn.Module) -> nn.Module:
    """Return a module without wrappers and without frozen overlays.

    A frozen module is copied; its dense weights stand where the overlays were.
    """
    inner = unwrap(module)
    if not any(_overlays(part) for part in inner.modules()):
        return inner
    plain = copy.deepcopy(inner)
    for part in list(plain.modules()):
        for name in _overlays(part):
            parametrize.remove_parametrizations(part, name, leave_parametrized=True)
    return plain


def _overlays(part: nn.Module) -> list[str]:
    if not parametrize.is_parametrized(part):
        return []
    chains: Any = part.parametrizations
    return [name for name, chain in chains.items() if isinstance(chain[0], Overlay)]


def match_pack(module: nn.Module, file: PackFile) -> dict[str, str]:
    """Return, for every name of a module's state, the tensor of the pack that fills it.

    Raises
    ------
    CheckpointError
        If the pack lacks a tensor, or one has another shape or element type.
    """
    state = named_state(module)
    sources = dict(match_names(state.tensors, state.aliases, file))
    missing = sorted(set(state.tensors) - set(sources), key=str.encode)
    if missing:
        named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if missing[3:] else "")
        problem = f"not in the pack: {named}"
        raise CheckpointError(f"{problem}: it is of another network (--architecture)")
    check_forms(state.tensors, sources, file)
    check_ties(sources, state.aliases, file)
    found = {alias: sources[owner] for alias, owner in state.aliases.items()}
    return {
        name: file.rebuilder.record(stored).spec.name
        for name, stored in {**sources, **found}.items()
    }


def place_weights(model: onnx.ModelProto, file: PackFile) -> None:
    """Fill the initializers that are tensors of the pack, one after the other."""
    for tensor in model.graph.initializer:
        if tensor.name in file.header.tensors and not tensor.HasField("raw_data"):
            tensor.raw_data = tensor_data(tensor.name, file).tobytes()


def tensor_data(name: str, file: PackFile) -> memoryview:
    """Return the bytes of a tensor of the pack, checked against its digest."""
    data: NDArray[np.uint8] = file.rebuilder.tensor(name).view(np.uint8)
    return data.data


def _to_proto(traced: ir.Model, sources: Mapping[str, str], file: PackFile) -> onnx.ModelProto:
    """Serialise a traced graph; its weights, until now inputs, become initializers without data."""
    import onnx
    from onnx_ir import serde

    graph = traced.graph
    used = _merge_ties(graph, sources)
    _name_outputs(graph)
    model: onnx.ModelProto = serde.serialize_model(traced)
    constants = list(model.graph.initializer)
    model.graph.ClearField("initializer")
    for name in sorted(used, key=str.encode):
        spec = file.header.tensors[name].spec
        model.graph.initializer.add(name=name, dims=spec.shape, data_type=ONNX_TYPES[spec.dtype])
    model.graph.initializer.extend(constants)
    model.ir_version = max(IR_VERSION, onnx.helper.find_min_ir_version_for(model.opset_import))
    model.producer_name, model.producer_version = "freezepack", __version__
    return model


def _place_constants(model: onnx.ModelProto, file: PackFile) -> None:
    """Make nodes of small constants, so that initializers are the tensors of the pack."""
    from onnx import helper

    graph = model.graph
    for i in reversed(range(len(graph.initializer))):
        tensor = graph.initializer[i]
        if tensor.name in file.header.tensors or tensor.ByteSize() > MOST_IN_NODE:
            continue
        node = helper.make_node("Constant", [], [tensor.name], value=tensor)
        node.attribute[0].t.ClearField("name")
        graph.node.insert(0, node)
        del graph.initializer[i]


def _merge_ties(graph: ir.Graph, sources: Mapping[str, str]) -> set[str]:
    """Let every weight that is used be read under the name that owns it; return these names."""
    owners: dict[str, ir.Value] = {}
    for value in list(graph.inputs):
        name = value.name or ""
        if name not in sources:
            continue
        graph.inputs.remove(value)
        if not value.uses():
            continue
        first = owners.setdefault(sources[name], value)
        for node, index in tuple(value.uses()):
            node.replace_input_with(index, first)
    for name, value in owners.items():
        value.name = name
    return set(owners)


def _name_outputs(graph: ir.Graph) -> None:
    taken = {value.name for value in graph.inputs}
    several = len(graph.outputs) > 1
    for i, value in enumerate(graph.outputs):
        name = f"{OUTPUT}_{i}" if several else OUTPUT
        if not value.is_graph_input() and name not in taken:
            value.name = name
