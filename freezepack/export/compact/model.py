"""A dense ONNX model and a pack, to a model that regenerates the weights when it is loaded."""

from collections.abc import Iterable, Set
from typing import Protocol

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, numpy_helper

from freezepack.errors import CheckpointError
from freezepack.export.compact.functions import ARITHMETICS, DOMAIN, OPSET, make_functions
from freezepack.export.compact.graph import ELEMENT, GraphBuilder
from freezepack.export.compact.names import shorten, used_names
from freezepack.export.compact.plan import Part, is_float, read_parts
from freezepack.export.compact.weights import add_weights
from freezepack.rebuild import choose_backend
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import Draw

IR_VERSION = 8
"""The first with functions in a model."""
VALUES = ("keep", "exact")


class OpenPack(Protocol):
    """What `freezepack.open` returns."""

    @property
    def rebuilder(self) -> Rebuilder:
        """What makes the tensors."""
        ...


def compact_model(
    dense: ModelProto,
    file: OpenPack,
    *,
    arithmetic: str = "i64",
    values: str = "keep",
    guard: bool = True,
) -> ModelProto:
    """Replace the weights of a dense model by operators that regenerate them.

    The result holds seeds, trained values and their positions. Runtimes fold all of it into plain
    weights when they load the model, and these are equal to the pack's, bit for bit.

    Parameters
    ----------
    dense : onnx.ModelProto
        Its initializers carry the names, shapes, types and bits of the pack's tensors, or no
        data; other initializers stay as they are. Not changed. Inputs and outputs keep their names.
    file : PackFile
        The open pack.
    arithmetic : {"i64", "u64"}
        Integers of the generator. "u64" needs a fifth less memory while the model is loaded, and
        onnxruntime 1.21; "i64" runs from 1.17 on.
    values : {"keep", "exact"}
        "keep" stores trained values as the pack has them: integers of a grid, 16-bit floats. With
        "exact" they are plain floats. The bits that come out are the same.
    guard : bool
        Whether weights become NaN in a runtime that computes integers wrongly.

    Raises
    ------
    CheckpointError
        If the model and the pack do not fit, the opset is below 18, or a tensor's base is outside
        the pack; with the tensor's name.
    FormatError
        If the pack is damaged.
    """
    check_options(arithmetic, values)
    check_opset(dense)
    parts = fitting_parts(dense, file.rebuilder, exact=values == "exact")
    return assemble(dense, parts, arithmetic=arithmetic, guard=guard)


def assemble(dense: ModelProto, parts: list[Part], *, arithmetic: str, guard: bool) -> ModelProto:
    """Return the model in which nodes make some of the initializers."""
    made = {part.spec.name for part in parts}
    model = remaining(dense, made)
    graph = GraphBuilder(used_names(model.graph) | made)
    draws = add_weights(graph, parts, choose_backend(), arithmetic=arithmetic, guard=guard)
    own = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*graph.nodes, *own])
    model.graph.initializer.extend(graph.initializers)
    finish(model, draws, arithmetic, dense.opset_import)
    return model


def remaining(dense: ModelProto, made: Set[str]) -> ModelProto:
    """Return what is left of a dense model without some initializers, with short names."""
    model = ModelProto(ir_version=max(dense.ir_version, IR_VERSION))
    model.graph.CopyFrom(dense.graph)
    del model.graph.initializer[:]
    model.graph.initializer.extend(t for t in dense.graph.initializer if t.name not in made)
    shorten(model.graph, keep=made)
    return model


def finish(
    model: ModelProto,
    draws: Iterable[Draw],
    arithmetic: str,
    opsets: Iterable[onnx.OperatorSetIdProto],
) -> None:
    """Add the functions and the operator sets."""
    drawn = sorted(draws)
    versions = {opset.domain: opset.version for opset in opsets}
    if drawn:
        versions[DOMAIN] = 1
        opset = versions.get("", versions.get("ai.onnx", OPSET))
        model.functions.extend(make_functions(drawn, arithmetic, opset))
    for domain, version in versions.items():
        # a domain that is there and empty takes bytes
        model.opset_import.add(version=version, **({"domain": domain} if domain else {}))


def fitting_parts(dense: ModelProto, rebuilder: Rebuilder, *, exact: bool) -> list[Part]:
    """Read the tensors of the pack that are initializers of the model, and compare them.

    Raises
    ------
    CheckpointError
        If one has another shape, type or content, or is not there although it has a base.
    """
    found = {tensor.name: tensor for tensor in dense.graph.initializer}
    header = rebuilder.header
    wanted = {
        name: record
        for name in [*header.tensors, *header.aliases]
        if name in found and is_float(record := rebuilder.record(name))
    }
    for name, record in header.tensors.items():
        names = {name, *(alias for alias, owner in header.aliases.items() if owner == name)}
        if not is_float(record) or names & set(found):
            continue
        if rebuilder.count_trained(record) < record.spec.size:
            raise CheckpointError(
                f"the model has no initializer {name!r}, which the pack regenerates: export it "
                "without folding, transposing or renaming weights"
            )
    parts = []
    for name in sorted(wanted, key=str.encode):
        (part,) = read_parts(rebuilder, [name], exact=exact)
        _compare(found[name], part)
        parts.append(part.named(name))
    return parts


def _compare(tensor: TensorProto, part: Part) -> None:
    spec = part.spec
    shape = tuple(tensor.dims)
    if shape != spec.shape or tensor.data_type != ELEMENT[spec.dtype]:
        kind = TensorProto.DataType.Name(tensor.data_type).lower()
        raise CheckpointError(
            f"{tensor.name!r} is {kind} {list(shape)} in the model, "
            f"expected {spec.dtype.name} {list(spec.shape)}"
        )
    if not _has_data(tensor):
        return
    bits = np.ascontiguousarray(numpy_helper.to_array(tensor)).reshape(-1).view(spec.dtype.raw)
    if not np.array_equal(bits, part.bits):
        differ = int((bits != part.bits).sum())
        raise CheckpointError(
            f"{tensor.name!r} differs from the pack in {differ} of {spec.size} elements: "
            "export the model from this pack, without folding"
        )


def _has_data(tensor: TensorProto) -> bool:
    """Return whether an initializer has content: there are dense models without weights."""
    lists = (tensor.float_data, tensor.int32_data, tensor.double_data)
    return tensor.HasField("raw_data") or any(lists)


def check_options(arithmetic: str, values: str) -> None:
    """Raise ValueError if an option is none of those known."""
    for name, value, known in (
        ("arithmetic", arithmetic, ARITHMETICS),
        ("values", values, VALUES),
    ):
        if value not in known:
            raise ValueError(f"{name} is {value!r}, expected one of {', '.join(known)}")


def check_opset(dense: ModelProto) -> None:
    """Raise CheckpointError unless the model's operators are those of opset 18 or later."""
    version = max((o.version for o in dense.opset_import if o.domain in ("", "ai.onnx")), default=0)
    if version < OPSET:
        raise CheckpointError(
            f"the model has opset {version}, compact ONNX needs {OPSET} for BitwiseXor: "
            f"export it with --opset {OPSET}"
        )
