"""Files of the safetensors format, as bits of any element type, without torch.

The library checks a file; its tensors are then mapped and not copied. Writing is ours, because it
streams: a tensor is made, written and forgotten.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack.checkpoints.state import State
from freezepack.errors import CheckpointError, InputError, MissingExtraError
from freezepack.types import DType, RawArray, TensorSpec

_NAMES = {
    DType.float32: "F32",
    DType.float16: "F16",
    DType.bfloat16: "BF16",
    DType.float64: "F64",
    DType.float8_e4m3fn: "F8_E4M3",
    DType.float8_e5m2: "F8_E5M2",
    DType.int8: "I8",
    DType.int16: "I16",
    DType.int32: "I32",
    DType.int64: "I64",
    DType.uint8: "U8",
    DType.uint16: "U16",
    DType.uint32: "U32",
    DType.uint64: "U64",
    DType.bool: "BOOL",
    DType.complex64: "C64",
}
_DTYPES = {name: dtype for dtype, name in _NAMES.items()}
_METADATA = "__metadata__"


def read_safetensors(source: str | os.PathLike[str] | bytes) -> State:
    """Read a safetensors file, or its bytes.

    Raises
    ------
    CheckpointError
        If the file is damaged or has an element type that a pack cannot hold.
    MissingExtraError
        If safetensors is not installed.
    """
    _check_file(source)
    data: NDArray[np.uint8] = (
        np.frombuffer(source, np.uint8)
        if isinstance(source, bytes)
        else np.memmap(source, np.uint8, "r")
    )
    begin = 8 + int(data[:8].view("<u8")[0])
    header: dict[str, Any] = json.loads(data[8:begin].tobytes())
    metadata = header.pop(_METADATA, None) or {}
    arrays = {}
    for name, entry in header.items():
        if entry["dtype"] not in _DTYPES:
            raise CheckpointError(f"{name!r} is {entry['dtype']}, which a pack cannot hold")
        spec = TensorSpec(name, tuple(entry["shape"]), _DTYPES[entry["dtype"]])
        first, last = entry["data_offsets"]
        arrays[name] = spec, _as_raw(data[begin + first : begin + last], spec.dtype)
    return State(arrays, metadata=metadata)


def _check_file(source: str | os.PathLike[str] | bytes) -> None:
    try:
        import safetensors
    except ImportError:
        raise MissingExtraError("safetensors", "safetensors", "reading .safetensors") from None
    try:
        if isinstance(source, bytes):
            safetensors.deserialize(source)  # type: ignore[no-untyped-call]
        else:
            with safetensors.safe_open(source, framework="np"):
                pass
    except safetensors.SafetensorError as error:
        label = "the input" if isinstance(source, bytes) else os.fspath(source)
        raise InputError(f"{label} is not a valid safetensors file: {error}") from None


def _as_raw(data: NDArray[np.uint8], dtype: DType) -> RawArray:
    raw = data.view(dtype.raw)
    return raw if raw.flags.aligned else raw.copy()


def safetensors_pieces(
    specs: Iterable[TensorSpec],
    make: Callable[[str], RawArray],
    aliases: Mapping[str, str],
    metadata: Mapping[str, str],
) -> Iterator[bytes | memoryview]:
    """Yield the pieces of a safetensors file.

    Parameters
    ----------
    specs : iterable of TensorSpec
        The tensors without aliases.
    make : callable
        From a name in `specs` to its bits; called when they are to be written.
    aliases : mapping of str to str
        Tied names; each is written as a copy, because the format knows no ties.
    metadata : mapping of str to str
        The file's own metadata.

    Raises
    ------
    CheckpointError
        If an element type is not one of safetensors' (complex128).
    """
    owners = {spec.name: spec for spec in specs}
    names = {name: name for name in owners} | dict(aliases)
    for spec in owners.values():
        if spec.dtype not in _NAMES:
            problem = f"{spec.name!r} is {spec.dtype.name}, which safetensors cannot hold"
            raise CheckpointError(f"{problem}: write a .pt file")
    # Larger elements first, so that all are aligned.
    order = sorted(names, key=lambda name: (-owners[names[name]].dtype.itemsize, name.encode()))
    yield _header(order, names, owners, metadata)
    for name in order:
        raw = make(names[name])
        if raw.size:
            yield raw.view(np.uint8).data


def _header(
    order: Iterable[str],
    names: Mapping[str, str],
    owners: Mapping[str, TensorSpec],
    metadata: Mapping[str, str],
) -> bytes:
    header: dict[str, Any] = {_METADATA: dict(metadata)} if metadata else {}
    offset = 0
    for name in order:
        spec = owners[names[name]]
        header[name] = {
            "dtype": _NAMES[spec.dtype],
            "shape": list(spec.shape),
            "data_offsets": [offset, offset + spec.nbytes],
        }
        offset += spec.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
