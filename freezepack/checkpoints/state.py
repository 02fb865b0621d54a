"""The tensors of a model file, without the library that wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from freezepack.pack.claims import Claim
from freezepack.rebuild.bases import Arrays


@dataclass(frozen=True, slots=True)
class State:
    """What a model file holds.

    Attributes
    ----------
    arrays : mapping of name to (spec, raw array)
        The tensors without aliases, as bits in C order. They may be mapped from the file.
    aliases : mapping of str to str
        Tied names to the first of their names, which is in `arrays`.
    claims : mapping of name to Claim
        Where the tensors come from, if the file says so; else empty.
    metadata : mapping of str to str
        Text that changes no weight.
    partial : bool
        Whether the file says that it holds only some tensors of a model.
    """

    arrays: Arrays
    aliases: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False

    @property
    def names(self) -> list[str]:
        """All names, aliases included, in file order."""
        return sorted([*self.arrays, *self.aliases], key=str.encode)


def find_differences(a: State, b: State) -> list[str]:
    """Say in which tensors two states differ, in a line each; empty if they are equal bit for bit.

    Which names are tied does not count.

    Examples
    --------
    >>> from freezepack.types import DType, TensorSpec
    >>> one = State({"w": (TensorSpec("w", (2,), DType.uint8), np.array([1, 2], np.uint8))})
    >>> two = State({"w": (TensorSpec("w", (2,), DType.uint8), np.array([1, 3], np.uint8))})
    >>> find_differences(one, two)
    ["'w': 1 of 2 entries differ, the first is number 1"]
    """
    lines = []
    for name in sorted({*a.names, *b.names}, key=str.encode):
        if name not in a.names or name not in b.names:
            lines.append(f"{name!r} is only in the {'first' if name in a.names else 'second'}")
            continue
        (spec, raw), (other, others) = (s.arrays[s.aliases.get(name, name)] for s in (a, b))
        if (spec.shape, spec.dtype) != (other.shape, other.dtype):
            found, wanted = f"{spec.dtype.name} {list(spec.shape)}", f"{other.dtype.name}"
            lines.append(f"{name!r}: {found} against {wanted} {list(other.shape)}")
            continue
        width = spec.dtype.itemsize
        bits = raw.view(np.uint8) != others.view(np.uint8)
        different = np.flatnonzero(bits.reshape(-1, width).any(axis=1)) if bits.size else bits
        if different.size:
            count = f"{different.size:,} of {spec.size:,} entries differ"
            lines.append(f"{name!r}: {count}, the first is number {int(different[0])}")
    return lines
