"""Whether the tensors of a pack fit those of a model: names, forms and ties."""

from collections.abc import Iterator, Mapping

import numpy as np
from torch import Tensor

from freezepack.errors import CheckpointError
from freezepack.handle import PackFile
from freezepack.nn.raw import dtype_of


def match_names(
    tensors: Mapping[str, Tensor], aliases: Mapping[str, str], file: PackFile
) -> Iterator[tuple[str, str]]:
    """Yield names of the model with the names in the pack that fill them.

    A tied weight may be in the pack under any of its names.
    """
    there = set(file.keys())
    for name in tensors:
        names = [name, *(alias for alias, owner in aliases.items() if owner == name)]
        found = next((known for known in names if known in there), None)
        if found is not None:
            yield name, found


def check_ties(sources: Mapping[str, str], aliases: Mapping[str, str], file: PackFile) -> None:
    """Raise CheckpointError if a tensor of the model would get two contents from the pack."""
    there = set(file.keys())
    for alias, name in aliases.items():
        first, other = sources.get(name), alias
        if first is None or other not in there:
            continue
        a, b = file.rebuilder.record(first).spec, file.rebuilder.record(other).spec
        if a.name == b.name:
            continue
        same = (a.shape, a.dtype) == (b.shape, b.dtype) and np.array_equal(
            file.rebuilder.tensor(a.name), file.rebuilder.tensor(b.name)
        )
        if not same:
            problem = f"{first} and {other} are tied in the model and differ in the pack"
            raise CheckpointError(f"{problem}. strict=False takes {first}")


def explain_names(missing: list[str], unexpected: list[str], partial: bool) -> str:
    """Say which names only one side has, and what to do."""
    parts = []
    if missing:
        parts.append(f"not in the pack: {', '.join(missing)}")
    if unexpected:
        parts.append(f"not in the model: {', '.join(unexpected)}")
    note = "; the pack is marked as partial" if partial else ""
    return f"{'; '.join(parts)}{note}. strict=False loads what both have"


def check_forms(tensors: Mapping[str, Tensor], sources: Mapping[str, str], file: PackFile) -> None:
    """Raise CheckpointError that lists every tensor of another shape or element type."""
    problems = []
    for name, stored in sources.items():
        spec = file.rebuilder.record(stored).spec
        tensor = tensors[name]
        if (tuple(tensor.shape), dtype_of(tensor)) != (spec.shape, spec.dtype):
            found = f"{spec.dtype.name} {list(spec.shape)}"
            wanted = f"{dtype_of(tensor).name} {list(tensor.shape)}"
            problems.append(f"{name}: {found} in the pack, {wanted} in the model")
    if problems:
        raise CheckpointError("; ".join(problems))
