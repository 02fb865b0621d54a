"""Whether a file is valid ONNX and onnxruntime loads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from freezepack.errors import CheckpointError

if TYPE_CHECKING:
    import onnxruntime


def check_file(path: Path) -> None:
    """Run the full check of the onnx package on a file.

    Raises
    ------
    CheckpointError
        If it is not valid; the message is that of the package.
    """
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"the exported model is not valid ONNX: {reason}") from error


def open_session(
    model: Path | bytes, generator: Path | None = None
) -> onnxruntime.InferenceSession:
    """Load a model into onnxruntime, on the CPU.

    Parameters
    ----------
    generator : Path, optional
        What makes the weights of `model`.

    Raises
    ------
    CheckpointError
        If onnxruntime cannot load it; the message names the operator.
    """
    import onnxruntime

    from freezepack.export.compact.loader import load_session

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        if generator is not None:
            return load_session(generator, model, options=options)
        source = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise runtime_error(error, "load") from error


def runtime_error(error: Exception, what: str) -> Exception:
    """Return what to raise for an error of onnxruntime, whose classes have no common root."""
    if type(error).__module__.partition(".")[0] != "onnxruntime":
        return error
    reason = str(error).splitlines()[0]
    problem = f"onnxruntime cannot {what} the model: {reason}"
    return CheckpointError(f"{problem}. --no-run writes it without trying")
