"""ONNX files, written tensor by tensor straight from a pack; no dense copy of the model is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from freezepack.errors import CheckpointError

if TYPE_CHECKING:
    import onnx

MOST_BYTES = (1 << 31) - 1
"""Longest message of protocol buffers; what is larger needs a file for its data."""
LEAST_EXTERNAL = 1024
"""Smaller tensors stay in the model."""
ALIGNMENT = 64
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
_LENGTH_DELIMITED = 2
_TYPED = [f"{kind}_data" for kind in ("float", "int32", "int64", "double", "uint64", "string")]
Make = Callable[[str], memoryview]
"""From the name of an initializer to its bytes."""


def dense_bytes(model: onnx.ModelProto) -> int:
    """Return the bytes of all initializers, those without data counted as if it were there."""
    return sum(_data_bytes(tensor) for tensor in model.graph.initializer)


def model_pieces(model: onnx.ModelProto, make: Make) -> Iterator[bytes | memoryview]:
    """Yield a file in pieces; initializers without data are made when their turn comes.

    Parameters
    ----------
    model : ModelProto
        Not changed.
    make : callable
        Gives the bytes of an initializer without data.

    Raises
    ------
    CheckpointError
        If the file would have more bytes than protocol buffers can hold.
    """
    shell = type(model)()
    shell.CopyFrom(model)
    shell.graph.ClearField("initializer")
    graph = shell.graph.SerializeToString(deterministic=True)
    shell.ClearField("graph")
    tensors = [
        (tensor.SerializeToString(deterministic=True), _missing(tensor), tensor.name)
        for tensor in model.graph.initializer
    ]
    sizes = [len(head) + (_length(_RAW_DATA, size) if size else 0) for head, size, _ in tensors]
    total = len(graph) + sum(_length(_INITIALIZER, size) for size in sizes)
    head = shell.SerializeToString(deterministic=True) + _field(_GRAPH, total) + graph
    if len(head) + total > MOST_BYTES:
        problem = f"the model has {len(head) + total:,} bytes, more than an ONNX file can hold"
        raise CheckpointError(f"{problem}: write its weights beside it with --external-data")
    yield head
    for (start, missing, name), size in zip(tensors, sizes, strict=True):
        yield _field(_INITIALIZER, size) + start
        if missing:
            yield _field(_RAW_DATA, missing)
            yield _checked(make(name), missing, name)


def write_external(
    model: onnx.ModelProto, make: Make, folder: Path, location: str
) -> onnx.ModelProto:
    """Write large initializers to a file of their own; return the model that refers to it.

    Parameters
    ----------
    folder, location
        The file is `location` in `folder`; the model names it as `location`.
    """
    slim = type(model)()
    slim.CopyFrom(model)
    offset = 0
    with (folder / location).open("xb") as file:
        for tensor in slim.graph.initializer:
            size = _data_bytes(tensor)
            if size < LEAST_EXTERNAL:
                if _missing(tensor):
                    tensor.raw_data = bytes(_checked(make(tensor.name), size, tensor.name))
                continue
            data = tensor.raw_data or _checked(make(tensor.name), size, tensor.name)
            padding = -offset % ALIGNMENT
            file.write(bytes(padding))
            file.write(data)
            tensor.ClearField("raw_data")
            _refer(tensor, location, offset + padding, size)
            offset += padding + size
    return slim


def _refer(tensor: onnx.TensorProto, location: str, offset: int, size: int) -> None:
    tensor.data_location = type(tensor).EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", size)):
        tensor.external_data.add(key=key, value=str(value))


def _data_bytes(tensor: onnx.TensorProto) -> int:
    return len(tensor.raw_data) if tensor.HasField("raw_data") else _missing(tensor)


def _missing(tensor: onnx.TensorProto) -> int:
    """Return the bytes that an initializer without data still needs."""
    from onnx import helper

    if tensor.HasField("raw_data") or tensor.data_location == tensor.EXTERNAL:
        return 0
    if any(len(getattr(tensor, name)) for name in _TYPED):
        return 0
    size = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    for length in tensor.dims:
        size *= length
    return int(size)


def _checked(data: memoryview, size: int, name: str) -> memoryview:
    if data.nbytes != size:
        raise CheckpointError(f"{name!r} has {data.nbytes} bytes, expected {size}")
    return data


def _length(number: int, size: int) -> int:
    """Return the bytes of a field of `size` bytes with its tag and length."""
    return len(_field(number, size)) + size


def _field(number: int, size: int) -> bytes:
    """Return tag and length of a length-delimited field."""
    out = bytearray([number << 3 | _LENGTH_DELIMITED])
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)
