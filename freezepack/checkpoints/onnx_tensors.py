"""Initializers of an ONNX model as bits, whichever way it holds them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import CheckpointError, InputError
from freezepack.types import DType, RawArray, TensorSpec

if TYPE_CHECKING:
    import onnx

DTYPES = {
    1: DType.float32,
    2: DType.uint8,
    3: DType.int8,
    4: DType.uint16,
    5: DType.int16,
    6: DType.int32,
    7: DType.int64,
    9: DType.bool,
    10: DType.float16,
    11: DType.float64,
    12: DType.uint32,
    13: DType.uint64,
    14: DType.complex64,
    15: DType.complex128,
    16: DType.bfloat16,
    17: DType.float8_e4m3fn,
    19: DType.float8_e5m2,
}
"""Element types by their numbers in TensorProto."""
ONNX_TYPES = {dtype: number for number, dtype in DTYPES.items()}
_FLOATS = {DType.float32, DType.complex64}
_DOUBLES = {DType.float64, DType.complex128}
_UNSIGNED = {DType.uint32, DType.uint64}


def read_text(text: Any, label: str) -> str:
    """Return a text field; protocol buffers give bytes where it is no Unicode text.

    Raises
    ------
    CheckpointError
        If it is none.
    """
    if not isinstance(text, str):
        raise CheckpointError(f"{label}: {text!r} is not Unicode text")
    return text


def read_spec(tensor: onnx.TensorProto, label: str) -> TensorSpec:
    """Return name, shape and element type, or raise CheckpointError; `label` names the file."""
    if tensor.data_type not in DTYPES:
        names = {number: name for name, number in tensor.DataType.items()}
        found = names.get(tensor.data_type, str(tensor.data_type))
        raise CheckpointError(f"{label}: {tensor.name!r} is {found}, which a pack cannot hold")
    if any(length < 0 for length in tensor.dims):
        raise CheckpointError(f"{label}: {tensor.name!r} has the shape {list(tensor.dims)}")
    return TensorSpec(tensor.name, tuple(tensor.dims), DTYPES[tensor.data_type])


def read_bits(
    tensor: onnx.TensorProto, spec: TensorSpec, folder: Path | None, label: str
) -> RawArray:
    """Return the bits of an initializer, from its fields or from a file in `folder`.

    Raises
    ------
    CheckpointError
        If there are more or fewer bytes than its shape asks for, a number is out of range, or the
        file is outside `folder`.
    InputError
        If the file is missing or too short.
    """
    if tensor.data_location == tensor.EXTERNAL:
        data: NDArray[Any] = _external(tensor, spec, folder, label)
    elif tensor.HasField("raw_data"):
        data = np.frombuffer(tensor.raw_data, np.uint8)
    else:
        data = _typed(tensor, spec, label)
    if data.nbytes != spec.nbytes:
        problem = f"{data.nbytes} bytes of data, expected {spec.nbytes} for {list(spec.shape)}"
        raise CheckpointError(f"{label}: {spec.name!r} has {problem}")
    raw: RawArray = np.ascontiguousarray(data).view(spec.dtype.raw)
    return raw if raw.flags.aligned else raw.copy()


def _typed(tensor: onnx.TensorProto, spec: TensorSpec, label: str) -> NDArray[np.uint8]:
    """Return the bytes of numbers that stand in a field of their type, one number an element."""
    dtype, data = spec.dtype, np.zeros(0)
    if dtype in _FLOATS:
        data = np.array(tensor.float_data, "<f4")
    elif dtype in _DOUBLES:
        data = np.array(tensor.double_data, "<f8")
    elif dtype == DType.int64:
        data = np.array(tensor.int64_data, "<i8")
    elif dtype in _UNSIGNED:
        data = _narrow(np.array(tensor.uint64_data, "<u8"), f"<u{dtype.itemsize}", spec, label)
    else:
        # floating types stand here as their bits
        kind = "i" if dtype.name.startswith("int") else "u"
        numbers = np.array(tensor.int32_data, "<i4")
        data = _narrow(numbers, f"<{kind}{dtype.itemsize}", spec, label)
    return data.view(np.uint8)


def _narrow(numbers: NDArray[Any], kind: str, spec: TensorSpec, label: str) -> NDArray[Any]:
    narrow = numbers.astype(kind)
    if not np.array_equal(narrow, numbers):
        worst = numbers[narrow != numbers][0]
        problem = f"the number {worst}, which is no {spec.dtype.name}"
        raise CheckpointError(f"{label}: {spec.name!r} has {problem}")
    return narrow


def _external(
    tensor: onnx.TensorProto, spec: TensorSpec, folder: Path | None, label: str
) -> NDArray[np.uint8]:
    """Return the bytes of a tensor in a file beside the model, mapped and not copied."""
    place = f"{label}: the data of {spec.name!r}"
    if folder is None:
        raise CheckpointError(f"{place} is in another file, which a stream does not have")
    entries = {
        read_text(entry.key, label): read_text(entry.value, label) for entry in tensor.external_data
    }
    path = _inside(folder, entries.get("location", ""), place)
    try:
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(spec.nbytes)))
    except ValueError:
        raise CheckpointError(f"{place} has an offset or a length that is no number") from None
    if length != spec.nbytes or offset < 0:
        problem = f"{length} bytes at {offset}, expected {spec.nbytes} for {list(spec.shape)}"
        raise CheckpointError(f"{place} has {problem}")
    size = path.stat().st_size
    if offset + length > size:
        problem = f"ends at byte {offset + length} of {path.name}, which has {size}"
        raise InputError(f"{place} {problem}")
    if not length:
        return np.zeros(0, np.uint8)
    return np.memmap(path, np.uint8, "r", offset, (length,))


def _inside(folder: Path, location: str, place: str) -> Path:
    """Return the file of a location; one outside the folder is refused, links followed."""
    named = Path(location)
    if "\0" in location or not location or named.is_absolute() or ".." in named.parts:
        raise CheckpointError(f"{place} is at {location!r}, expected a file beside the model")
    path = (folder / named).resolve()
    if not path.is_relative_to(folder):
        raise CheckpointError(f"{place} is at {location!r}, which leads out of the folder")
    if not path.is_file():
        raise InputError(f"{place} is in {location!r}, which is not there")
    return path
