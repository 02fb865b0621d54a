"""Names and metadata, checked before any work: what no file may hold."""

from collections.abc import Iterable, Mapping
from typing import Any

from freezepack.errors import CheckpointError
from freezepack.format.names import name_problem


def check_names(names: Iterable[Any]) -> None:
    """Refuse what cannot name a tensor.

    Raises
    ------
    TypeError
        If it is no text.
    CheckpointError
        If it is empty, reserved, too long, holds NUL or is not Unicode text.

    Examples
    --------
    >>> check_names(["conv1.weight"])
    """
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"the name {name!r} of a tensor is a {_kind(name)}, expected a str")
        problem = name_problem(name)
        if problem:
            raise CheckpointError(problem)


def check_metadata(metadata: Mapping[Any, Any]) -> None:
    """Refuse metadata that is no Unicode text.

    Raises
    ------
    TypeError
        If a key or a value is no text.
    CheckpointError
        If it is not Unicode text.

    Examples
    --------
    >>> check_metadata({"epochs": 3})
    Traceback (most recent call last):
        ...
    TypeError: the metadata 'epochs' is a int, expected a str
    """
    for key, value in metadata.items():
        for text, place in ((key, f"the metadata key {key!r}"), (value, f"the metadata {key!r}")):
            if not isinstance(text, str):
                raise TypeError(f"{place} is a {_kind(text)}, expected a str")
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise CheckpointError(f"{place} is not Unicode text")


def _kind(value: Any) -> str:
    return type(value).__name__
