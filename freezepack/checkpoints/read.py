"""One way in for every kind of model file; the first bytes say which it is."""

import os
from collections.abc import Sequence
from pathlib import Path

from freezepack.checkpoints.safetensors_file import read_safetensors
from freezepack.checkpoints.state import State
from freezepack.errors import InputError, MissingExtraError
from freezepack.files import STANDARD, read_input
from freezepack.format.constants import MAGIC
from freezepack.format.reader import PackReader
from freezepack.rebuild.bases import BaseTensors
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES, Rebuilder

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"


def read_state(
    path: str | os.PathLike[str],
    *,
    bases: Sequence[BaseTensors] = (),
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> State:
    """Read a `.safetensors`, `.pt` or `.fpk` file.

    Parameters
    ----------
    path : path or "-"
        "-" reads standard input.
    bases, max_bytes
        For a pack: what it is based on, and the most bytes it may rebuild to.

    Raises
    ------
    InputError
        If the file is of another kind, damaged, or needs pickled code.
    FormatError, BaseMismatchError
        If it is a pack that cannot be rebuilt.
    """
    if os.fspath(path) == STANDARD:
        data = read_input(path)
        return _read(data, data[:16], "standard input", bases, max_bytes)
    with Path(path).open("rb") as file:
        start = file.read(16)
    return _read(path, start, os.fspath(path), bases, max_bytes)


def is_pack(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins as a pack does."""
    with Path(path).open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _read(
    source: str | os.PathLike[str] | bytes,
    start: bytes,
    label: str,
    bases: Sequence[BaseTensors],
    max_bytes: int | None,
) -> State:
    if start[: len(MAGIC)] == MAGIC:
        return read_packed(source, bases, max_bytes)
    if start.startswith((_ZIP, _PICKLE)):
        try:
            from freezepack.checkpoints.torch_file import read_torch
        except ImportError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("torch", "torch", "reading .pt") from None
        return read_torch(source)
    if start[8:9] == b"{":
        return read_safetensors(source)
    raise InputError(f"{label} is neither a .safetensors nor a .pt nor a .fpk file")


def read_packed(
    source: str | os.PathLike[str] | bytes, bases: Sequence[BaseTensors], max_bytes: int | None
) -> State:
    """Rebuild every tensor of a pack."""
    with PackReader(source) as reader:
        rebuilder = Rebuilder(reader, bases=bases, max_bytes=max_bytes)
        header = reader.header
        made = rebuilder.tensors()
        arrays = {name: (header.tensors[name].spec, raw) for name, raw in made.items()}
        return State(arrays, header.aliases, metadata=header.metadata)
