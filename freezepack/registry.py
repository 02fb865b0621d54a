"""Tables from names to parts; a part is imported when it is first used."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from freezepack.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a table: where a part lives, what it does, where it is from."""

    target: str
    """`package.module:attribute`."""
    summary: str
    source: str = ""

    def load(self) -> Any:
        """Import the module and return the attribute."""
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)


class Registry(Mapping[str, Entry]):
    """Names to entries; listing imports nothing.

    Examples
    --------
    >>> table = Registry("constant", {"pi": Entry("math:pi", "half a turn in radians")})
    >>> round(table.get_part("pi"), 2)
    3.14
    """

    def __init__(self, kind: str, entries: Mapping[str, Entry]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            raise UnknownNameError(self.kind, name, self._entries)
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def get_part(self, name: str) -> Any:
        """Return the part itself, imported on first use.

        Raises
        ------
        UnknownNameError
            If there is no such entry; the message names close matches.
        """
        return self[name].load()


Argument = str | int | float | bool
"""What an argument of a part may be: what JSON and a file's metadata can hold."""


def resolve_arguments(
    kind: str, part: Callable[..., Any], given: Mapping[str, Argument]
) -> dict[str, Argument]:
    """Complete the arguments of a part with its defaults, so that a record says everything.

    Parameters
    ----------
    kind : str
        What to call an argument in the error, as in "argument of model 'lenet5-caffe'".
    part : callable
        Its parameters with defaults are the arguments; any others are not.
    given : mapping
        The arguments that differ from the defaults. Not changed.

    Returns
    -------
    dict
        All arguments, in the order of the part's signature.

    Raises
    ------
    UnknownNameError
        If the part has no such argument.
    ValueError
        If an argument is of another type than its default. A whole number becomes a float where
        the default is one.

    Examples
    --------
    >>> resolve_arguments("argument of int", lambda text, base=10: 0, {"base": 2})
    {'base': 2}
    """
    parameters = inspect.signature(part).parameters
    known = {k: p.default for k, p in parameters.items() if p.default is not p.empty}
    for key in given:
        if key not in known:
            raise UnknownNameError(kind, key, known)
    return {
        key: check_type(f"{kind} {key!r}", given[key], default) if key in given else default
        for key, default in known.items()
    }


_TYPES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def check_type(what: str, value: Argument, default: Argument) -> Argument:
    """Return an argument in the type of its default.

    Parameters
    ----------
    what : str
        What to call it in the error.
    value, default : str, int, float or bool
        A whole number becomes a float where the default is one.

    Raises
    ------
    ValueError
        If it is of another type.

    Examples
    --------
    >>> check_type("rate", 1, 0.5)
    1.0
    """
    wanted = type(default)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise ValueError(f"{what} is {value!r}, expected {_TYPES[wanted]} as in {default!r}")
    return value
