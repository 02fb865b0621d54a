"""Dense ONNX files: the initializers are the tensors of a state dict."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from freezepack.checkpoints.onnx_notes import DRAWS, read_draws, read_metadata
from freezepack.checkpoints.onnx_tensors import read_bits, read_spec, read_text
from freezepack.checkpoints.state import State
from freezepack.errors import CheckpointError, InputError, MissingExtraError
from freezepack.pack.texts import check_names
from freezepack.types import RawArray, TensorSpec

if TYPE_CHECKING:
    import onnx

_VARINT_VERSION = b"\x08"
_TAGS = frozenset(number << 3 | wire for number in range(2, 26) for wire in (0, 2))


def is_onnx(start: bytes) -> bool:
    """Return whether a file that begins so may be an ONNX model.

    ONNX has no magic number: what is there is the version of its format, then another field.

    Examples
    --------
    >>> is_onnx(bytes([8, 10, 18, 7]) + b"pytorch"), is_onnx(b"PK")
    (True, False)
    """
    if len(start) < 4 or start[:1] != _VARINT_VERSION or not 1 <= start[1] < 128:
        return False
    # a safetensors file begins with its header's length, and these bytes of it are 0
    return start[2] in _TAGS and start[3:8] != bytes(5)


def read_onnx(source: str | os.PathLike[str] | bytes) -> State:
    """Read the initializers of a dense ONNX file, or of its bytes.

    Parameters
    ----------
    source : path or bytes
        Data in files beside it is read if their names lead no way out of its folder.

    Raises
    ------
    InputError
        If it is no ONNX file.
    CheckpointError
        If an initializer is sparse, a string, of an element type that a pack cannot hold, or its
        data is not that of its shape; the message names it.
    MissingExtraError
        If onnx is not installed.
    """
    label = "the input" if isinstance(source, bytes) else os.fspath(source)
    model = _parse(source, label)
    sparse = [tensor.values.name for tensor in model.graph.sparse_initializer]
    if sparse:
        raise CheckpointError(f"{label}: {sparse[0]!r} is sparse: save the model densely")
    if model.functions:
        problem = f"its weights are made by functions ({model.functions[0].name!r})"
        raise CheckpointError(f"{label}: {problem}: write it out with freezepack expand first")
    tensors = model.graph.initializer
    check_names([read_text(tensor.name, label) for tensor in tensors])
    folder = None if isinstance(source, bytes) else Path(source).resolve().parent
    arrays: dict[str, tuple[TensorSpec, RawArray]] = {}
    for tensor in tensors:
        if tensor.name in arrays:
            raise CheckpointError(f"{label}: two initializers are named {tensor.name!r}")
        spec = read_spec(tensor, label)
        arrays[tensor.name] = spec, read_bits(tensor, spec, folder, label)
    metadata = read_metadata(model.metadata_props, label)
    claims = read_draws(metadata.pop(DRAWS, "{}"), arrays, label)
    return State(arrays, claims=claims, metadata=metadata)


def _parse(source: str | os.PathLike[str] | bytes, label: str) -> onnx.ModelProto:
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "onnx", "reading .onnx") from None
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]

    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise InputError(f"{label} is not a valid ONNX file: {error}") from None
    if not model.HasField("graph"):
        raise InputError(f"{label} is not a valid ONNX file: it has no graph")
    return model
