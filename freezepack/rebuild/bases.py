"""Tensors that other packs are based on, found by their content digest."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from freezepack.digest import content_digest, digest
from freezepack.errors import BaseMismatchError
from freezepack.types import FileBase, PackBase, RawArray, TensorSpec

Arrays = Mapping[str, tuple[TensorSpec, RawArray]]
"""Name to what a tensor is and its bits."""


class BaseTensors(Protocol):
    """The tensors of a checkpoint or an earlier pack."""

    depth: int
    """How many packs stand behind these tensors: 0 for a checkpoint."""

    @property
    def digest(self) -> int:
        """Content digest of all tensors."""
        ...

    def read(self, spec: TensorSpec, start: int, stop: int) -> RawArray:
        """Return elements `start` to `stop` - 1 of the tensor that is as `spec` says.

        Raises
        ------
        BaseMismatchError
            If there is no such tensor or it has another shape or element type.
        """
        ...


class ArraysBase:
    """Tensors in memory, or mapped from a checkpoint.

    Parameters
    ----------
    arrays : mapping of name to (spec, raw array)
        Without aliases. Kept, not copied.
    aliases : mapping of str to str
        Tied names to the name that owns the bytes.
    """

    depth = 0

    def __init__(self, arrays: Arrays, aliases: Mapping[str, str] | None = None) -> None:
        self._arrays = arrays
        self._aliases = aliases or {}
        self._digest: int | None = None

    @property
    def digest(self) -> int:
        """Content digest of all tensors, computed when it is first asked for."""
        if self._digest is None:
            names = sorted(self._arrays, key=str.encode)
            items = [(self._arrays[name][0], digest(self._arrays[name][1])) for name in names]
            self._digest = content_digest(items)
        return self._digest

    def read(self, spec: TensorSpec, start: int, stop: int) -> RawArray:
        """Return elements `start` to `stop` - 1; a view."""
        name = self._aliases.get(spec.name, spec.name)
        found = self._arrays.get(name)
        check_same(spec, found[0] if found else None)
        return self._arrays[name][1][start:stop]


def check_same(wanted: TensorSpec, found: TensorSpec | None) -> None:
    """Raise BaseMismatchError unless the base's tensor has the shape and type that is wanted."""
    if found is None:
        raise BaseMismatchError(f"the base has no tensor {wanted.name!r}")
    if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
        raise BaseMismatchError(
            f"{wanted.name!r} is {found.dtype.name} {list(found.shape)} in the base, "
            f"expected {wanted.dtype.name} {list(wanted.shape)}"
        )


def find_base(base: FileBase | PackBase, given: Sequence[BaseTensors]) -> BaseTensors:
    """Return the tensors whose content digest is the one that a pack names.

    Raises
    ------
    BaseMismatchError
        If none is given or all differ; with the digests, the hint and the remedy.

    Examples
    --------
    >>> find_base(FileBase(0x2A, "resnet.safetensors"), [])
    Traceback (most recent call last):
        ...
    freezepack.errors.BaseMismatchError: the pack needs the base 'resnet.safetensors' with \
content digest 000000000000002a: give it with --base PATH (base=PATH)
    """
    for tensors in given:
        if tensors.digest == base.digest:
            return tensors
    kind = "earlier pack" if isinstance(base, PackBase) else "base"
    hint = f" {base.hint!r}" if base.hint else ""
    problem = f"the pack needs the {kind}{hint} with content digest {base.digest:016x}"
    if not given:
        raise BaseMismatchError(f"{problem}: give it with --base PATH (base=PATH)")
    found = ", ".join(f"{tensors.digest:016x}" for tensors in given)
    raise BaseMismatchError(f"{problem}, found {found}: give the right one with --base PATH")
