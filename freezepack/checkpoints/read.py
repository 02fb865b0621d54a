"""One way in for every kind of model file; the first bytes say which it is."""

import os
from collections.abc import Sequence
from pathlib import Path

from freezepack.checkpoints.onnx_file import is_onnx, read_onnx
from freezepack.checkpoints.packed import read_packed
from freezepack.checkpoints.safetensors_file import read_safetensors
from freezepack.checkpoints.state import State
from freezepack.errors import InputError, MissingExtraError
from freezepack.files import STANDARD, hold_stream
from freezepack.format.constants import MAGIC
from freezepack.rebuild.bases import BaseTensors
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES

__all__ = ["is_pack", "read_packed", "read_source", "read_state"]

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"


def read_state(
    path: str | os.PathLike[str],
    *,
    bases: Sequence[BaseTensors] = (),
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> State:
    """Read a `.safetensors`, `.pt`, `.onnx` or `.fpk` file.

    Parameters
    ----------
    path : path or "-"
        "-" reads standard input. A pipe is read once.
    bases, max_bytes
        For a pack: what it is based on, and the most bytes it may rebuild to.

    Returns
    -------
    State
        With the claims of a checkpoint of ours or of a pack. A claim on a file or an earlier pack
        needs the same base again where it is used.

    Raises
    ------
    InputError
        If the file is of another kind, damaged, or needs pickled code.
    FormatError, BaseMismatchError
        If it is a pack that cannot be rebuilt.
    """
    label = "standard input" if os.fspath(path) == STANDARD else os.fspath(path)
    return read_source(hold_stream(path), label, bases=bases, max_bytes=max_bytes)


def is_pack(source: str | os.PathLike[str] | bytes) -> bool:
    """Return whether a file, or its bytes, begins as a pack does."""
    return _start(source).startswith(MAGIC)


def read_source(
    source: str | os.PathLike[str] | bytes,
    label: str = "the input",
    *,
    bases: Sequence[BaseTensors] = (),
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> State:
    """Read a model file by its path, or its bytes, which errors call `label`; see `read_state`."""
    start = _start(source)
    if start.startswith(MAGIC):
        return read_packed(source, bases, max_bytes, claims=True)
    if start.startswith((_ZIP, _PICKLE)):
        try:
            from freezepack.checkpoints.torch_file import read_torch
        except ImportError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("torch", "torch", "reading .pt") from None
        return read_torch(source)
    if is_onnx(start):
        return read_onnx(source)
    if start[8:9] == b"{":
        return read_safetensors(source)
    raise InputError(f"{label} is neither a .safetensors nor a .pt nor a .fpk file, nor ONNX")


def _start(source: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:16]
    with Path(source).open("rb") as file:
        return file.read(16)
