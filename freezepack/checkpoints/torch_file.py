"""Files of torch.save: state dicts and our own checkpoints. No pickled code is ever run."""

import os
import pickle
import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO

import torch
from torch import Tensor

from freezepack.checkpoints.own import read_own
from freezepack.checkpoints.state import State
from freezepack.errors import CheckpointError, InputError
from freezepack.nn.raw import dtype_of, from_raw, raw_copy
from freezepack.nn.state import order
from freezepack.pack.texts import check_names
from freezepack.rebuild.bases import Arrays
from freezepack.types import TensorSpec

OWN = "freezepack"
"""Key of a checkpoint of ours under which everything but tensors stands."""
_DAMAGE = (
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    struct.error,
)
"""What torch's reader of pickles raises on bytes that are none."""
STATE_KEYS = ("state_dict", "model_state_dict", "model")
"""Where other trainers put the state dict beside optimiser and epoch."""


def read_torch(source: str | os.PathLike[str] | bytes) -> State:
    """Read a `.pt` file, or its bytes: a state dict, alone or under a usual key.

    Raises
    ------
    CheckpointError
        If the file needs pickled code, is damaged, or holds no state dict.
    """
    label = "the input" if isinstance(source, bytes) else os.fspath(source)
    content = _load(source, label)
    if not isinstance(content, Mapping):
        problem = f"holds a {type(content).__name__}, expected a state dict"
        raise CheckpointError(f"{label} {problem}: save model.state_dict()")
    state = state_of(_find_tensors(content, label), label)
    if isinstance(content.get(OWN), Mapping) and "state_dict" in content:
        return read_own(content[OWN], state)
    return state


def state_of(tensors: Mapping[str, Any], label: str = "the model") -> State:
    """Return the tensors of a state dict as bits; tied ones (same memory) become aliases."""
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            problem = f"entry {name!r} is a {type(value).__name__}, expected a tensor"
            raise CheckpointError(f"{label}: {problem}")
        if value.layout != torch.strided or value.device.type == "meta":
            raise CheckpointError(f"{label}: {name!r} is sparse or has no data")
    check_names(tensors)
    found = order(tensors)
    arrays: dict[str, Any] = {}
    for name, tensor in found.tensors.items():
        try:
            spec = TensorSpec(name, tuple(tensor.shape), dtype_of(tensor))
        except TypeError as error:
            raise CheckpointError(f"{label}: {name!r}: {error}") from None
        arrays[name] = spec, raw_copy(tensor)
    return State(arrays, found.aliases)


def _load(source: str | os.PathLike[str] | bytes, label: str) -> Any:
    try:
        file = BytesIO(source) if isinstance(source, bytes) else source
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{label} cannot be read with weights_only=True, and nothing else is ever used, "
            "because other pickles can run any code. If you trust the file, load it yourself and "
            f"save model.state_dict(), or a .safetensors file. torch says: {_first_line(error)}"
        ) from None
    except _DAMAGE as error:
        raise InputError(f"{label} is damaged or no torch file: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _find_tensors(content: Mapping[Any, Any], label: str) -> Mapping[str, Any]:
    if content and all(isinstance(value, Tensor) for value in content.values()):
        return content
    for key in STATE_KEYS:
        if isinstance(content.get(key), Mapping):
            found: Mapping[str, Any] = content[key]
            return found
    if not content:
        return content
    name, value = next((n, v) for n, v in content.items() if not isinstance(v, Tensor))
    problem = f"entry {name!r} is a {type(value).__name__}, expected a tensor"
    raise CheckpointError(f"{label}: {problem}, or a state dict under {', '.join(STATE_KEYS)}")


def tensors_of(arrays: Arrays, aliases: Mapping[str, str]) -> dict[str, Tensor]:
    """Return torch tensors; tied names share one."""
    owners = {name: from_raw(raw, spec.dtype, spec.shape) for name, (spec, raw) in arrays.items()}
    names = sorted([*owners, *aliases], key=str.encode)
    return {name: owners[aliases.get(name, name)] for name in names}


def write_torch(tensors: Mapping[str, Tensor], file: BinaryIO) -> None:
    """Write a state dict that loads with `weights_only=True` and without freezepack."""
    torch.save(dict(tensors), file)
