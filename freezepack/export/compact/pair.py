"""Two models for large networks: one makes the weights, the other uses them.

Folding keeps all that lies between seed and weights until it is done. A session without
optimisation frees it on the way. So the *generator* has the weights as outputs and is run once,
without optimisation; the *skeleton* is the dense model with weights that are said to be external,
and gets the outputs of the generator instead.
"""

from collections.abc import Sequence

import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from freezepack.export.compact.functions import OPSET
from freezepack.export.compact.graph import ELEMENT, GraphBuilder
from freezepack.export.compact.model import (
    IR_VERSION,
    OpenPack,
    check_opset,
    check_options,
    finish,
    fitting_parts,
    remaining,
)
from freezepack.export.compact.plan import Part
from freezepack.export.compact.weights import add_weights
from freezepack.rebuild import choose_backend

LOCATION = "weights"
"""File name that skeletons give; there is no such file."""
CALL = 1 << 20
"""Elements that one call of the generator makes: some 60 MB while it runs."""


def two_file(
    dense: ModelProto,
    file: OpenPack,
    *,
    arithmetic: str = "i64",
    values: str = "keep",
    guard: bool = True,
) -> tuple[ModelProto, ModelProto]:
    """Return generator and skeleton of a dense model.

    Parameters are those of `compact_model`; `load_session` makes one session of both.

    Returns
    -------
    generator : onnx.ModelProto
        No inputs. Its outputs have the names of the weights, and their bits.
    skeleton : onnx.ModelProto
        The dense model; initializers that the generator makes are external, in file order of the
        pack, at offsets in a file that does not exist.

    Raises
    ------
    CheckpointError, FormatError
        As for `compact_model`.
    """
    check_options(arithmetic, values)
    check_opset(dense)
    parts = fitting_parts(dense, file.rebuilder, exact=values == "exact")
    generator = make_generator(parts, arithmetic=arithmetic, guard=guard, most=CALL)
    return generator, make_skeleton(dense, parts)


def make_generator(
    parts: Sequence[Part], *, arithmetic: str, guard: bool, most: int | None = None
) -> ModelProto:
    """Return a model without inputs whose outputs are tensors of a pack.

    Parameters
    ----------
    most : int, optional
        Elements that one call of the generator makes, a multiple of 128; larger tensors are cut.
    """
    cut = [(part, part.cut(most) if most else [part]) for part in parts]
    pieces = [piece for _, some in cut for piece in some]
    graph = GraphBuilder({part.spec.name for part in [*parts, *pieces]})
    draws = add_weights(
        graph, pieces, choose_backend(), arithmetic=arithmetic, guard=guard, most=most
    )
    for part, some in cut:
        if len(some) > 1:
            joined = graph.op("Concat", *(piece.spec.name for piece in some), axis=0)
            graph.finish(joined, part.spec.name, part.spec.shape)
    model = ModelProto(ir_version=IR_VERSION)
    model.graph.name = "g"
    model.graph.node.extend(graph.nodes)
    model.graph.initializer.extend(graph.initializers)
    model.graph.output.extend(_describe(part) for part in parts)
    finish(model, draws, arithmetic, [onnx.helper.make_opsetid("", OPSET)])
    return model


def make_skeleton(dense: ModelProto, parts: Sequence[Part]) -> ModelProto:
    """Return the dense model with weights that are given when it is loaded."""
    made = {part.spec.name for part in parts}
    model = remaining(dense, made)
    offset = 0
    for part in parts:
        spec = part.spec
        tensor = TensorProto(name=spec.name, data_type=ELEMENT[spec.dtype], dims=spec.shape)
        tensor.data_location = TensorProto.EXTERNAL
        entries = {"location": LOCATION, "offset": offset, "length": spec.nbytes}
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
        model.graph.initializer.append(tensor)
        offset += spec.nbytes
    model.opset_import.extend(dense.opset_import)
    return model


def _describe(part: Part) -> ValueInfoProto:
    spec = part.spec
    return helper.make_tensor_value_info(spec.name, ELEMENT[spec.dtype], spec.shape)
