"""A compact ONNX file written out densely: onnxruntime folds what its graph computes once."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from freezepack.checkpoints.onnx_tensors import DTYPES
from freezepack.errors import CheckpointError, InputError, MissingExtraError, VerificationError
from freezepack.export.onnx_lean import strip_notes
from freezepack.export.onnx_write import model_pieces
from freezepack.export.staging import stage_files
from freezepack.files import STANDARD, check_output, hold_stream, write_output
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES

if TYPE_CHECKING:
    import onnx

    from freezepack.handle import PackFile

_KEEP_AS_IT_IS = ["Level1_RuleBasedTransformer", "ConstantSharing", "MatMulAddFusion"]
"""Passes of onnxruntime that would change or rename weights; folding constants is enough."""
_LARGEST = "optimization.constant_folding_max_output_size_in_bytes"
_STANDARD = {"", "ai.onnx"}
_NEVER_FOLDED = {"RandomUniform", "RandomNormal"}
_CONVERSION = "InsertedPrecisionFreeCast_"
"""Begins the names of what onnxruntime puts before operators that it has for float32 only."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """What was written.

    Attributes
    ----------
    nbytes : int
        Bytes of the file.
    equal : int or None
        Tensors that are those of the pack, bit for bit; None if none was given.
    others : tuple of str
        Initializers that the pack does not have: constants of the graph.
    """

    nbytes: int
    equal: int | None
    others: tuple[str, ...]


def expand_onnx(
    source: str | os.PathLike[str] | bytes,
    path: str | os.PathLike[str],
    *,
    against: PackFile | None = None,
    force: bool = False,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> Expanded:
    """Write a compact ONNX file out densely: ordinary weights, none of our functions.

    Parameters
    ----------
    source : path, "-" or bytes
        The compact file.
    path : path or "-"
        Where to.
    against : PackFile, optional
        The pack of which every weight has to be that in the file, bit for bit.
    max_bytes : int or None
        Most bytes of one tensor that onnxruntime (1.27 or newer) may make; None for no limit.

    Raises
    ------
    InputError
        If it is no ONNX file that onnxruntime loads.
    CheckpointError
        If onnxruntime leaves something unfolded; the message names the operator.
    VerificationError
        If a weight differs from the pack's.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "onnx", "freezepack expand") from None
    check_output(path, force=force)
    with tempfile.TemporaryDirectory() as name:
        folded = Path(name, "folded.onnx")
        _fold(hold_stream(source), folded, max_bytes)
        model = onnx.load(folded, load_external_data=False)
    _check_inside(model, source)
    _check_folded(model)
    _tidy(model)
    equal, others = _compare(model, against) if against is not None else (None, ())
    return Expanded(_write(model, path, force), equal, others)


def _fold(source: str | os.PathLike[str] | bytes, out: Path, max_bytes: int | None) -> None:
    """Let onnxruntime fold constants, nothing else, and save what it has then."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("onnxruntime", "onnx", "freezepack expand") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    options.add_session_config_entry(_LARGEST, str(max_bytes or 0))
    try:
        onnxruntime.InferenceSession(
            source if isinstance(source, bytes) else os.fspath(source),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=_KEEP_AS_IT_IS,
        )
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "onnxruntime":
            raise
        label = "the input" if isinstance(source, bytes) else os.fspath(source)
        reason = str(error).splitlines()[0]
        raise InputError(f"{label} cannot be loaded by onnxruntime: {reason}") from error


def _check_inside(model: onnx.ModelProto, source: str | os.PathLike[str] | bytes) -> None:
    """Raise CheckpointError if weights are in another file: then the model is not compact."""
    for tensor in model.graph.initializer:
        if tensor.data_location == tensor.EXTERNAL:
            label = "the input" if isinstance(source, bytes) else os.fspath(source)
            raise CheckpointError(
                f"{label} has {tensor.name!r} in a file of its own, expected a compact model, "
                "which makes its weights"
            )


def _check_folded(model: onnx.ModelProto) -> None:
    """Raise CheckpointError if anything is left that does not depend on the inputs."""
    import onnxruntime

    used = f"onnxruntime {onnxruntime.__version__}"
    if model.functions:
        raise CheckpointError(f"{used} left the function {model.functions[0].name} in the graph")
    constants = {tensor.name for tensor in model.graph.initializer} | {""}
    for node in model.graph.node:
        operator = f"{node.domain}::{node.op_type}" if node.domain else node.op_type
        if node.domain not in _STANDARD:
            raise CheckpointError(f"{used} left the operator {operator} in the graph")
        if node.op_type in _NEVER_FOLDED or node.name.startswith(_CONVERSION):
            continue
        if constants.issuperset(node.input):
            problem = f"{used} did not fold the operator {operator}"
            raise CheckpointError(f"{problem}: it folds no tensor above --max-bytes")


def _tidy(model: onnx.ModelProto) -> None:
    """Remove what onnxruntime adds: imports of operators that are not there, notes."""
    kept = [entry.version for entry in model.opset_import if entry.domain in _STANDARD]
    del model.opset_import[:]
    model.opset_import.add(domain="", version=kept[0])
    entries = [(entry.key, entry.value) for entry in model.metadata_props]
    strip_notes(model)
    for key, value in entries:
        model.metadata_props.add(key=key, value=value)
    tensors = sorted(model.graph.initializer, key=lambda tensor: tensor.name.encode())
    model.graph.ClearField("initializer")
    model.graph.initializer.extend(tensors)


def _compare(model: onnx.ModelProto, file: PackFile) -> tuple[int, tuple[str, ...]]:
    equal, others = 0, []
    for tensor in model.graph.initializer:
        if tensor.name not in file.header.tensors:
            others.append(tensor.name)
            continue
        spec = file.header.tensors[tensor.name].spec
        form = tuple(tensor.dims), DTYPES.get(tensor.data_type)
        if form != (spec.shape, spec.dtype):
            problem = f"of shape {list(form[0])}, expected {spec.dtype.name} {list(spec.shape)}"
            raise VerificationError(f"{tensor.name!r} is {problem}")
        found = np.frombuffer(tensor.raw_data, spec.dtype.raw)
        different = np.flatnonzero(found != file.rebuilder.tensor(tensor.name))
        if different.size:
            where = f"{different.size:,} of {spec.size:,} entries, the first is number"
            raise VerificationError(
                f"{tensor.name!r} differs from the pack in {where} {int(different[0])}"
            )
        equal += 1
    if not equal:
        names = ", ".join(others) or "none"
        raise VerificationError(f"no initializer is a tensor of the pack; there are: {names}")
    return equal, tuple(others)


def _write(model: onnx.ModelProto, path: str | os.PathLike[str], force: bool) -> int:
    from freezepack.export.onnx_valid import check_file

    target = Path(path)
    if os.fspath(path) != STANDARD and (target.is_file() or not target.exists()):
        with stage_files([target], force=force) as folder:
            made = folder / target.name
            nbytes = write_output(made, model_pieces(model, _no_data))
            check_file(made)
        return nbytes
    with tempfile.TemporaryDirectory() as name:
        made = Path(name, "model.onnx")
        write_output(made, model_pieces(model, _no_data))
        check_file(made)
        return write_output(path, [made.read_bytes()], force=force)


def _no_data(name: str) -> memoryview:
    raise CheckpointError(f"the initializer {name!r} has no data")
