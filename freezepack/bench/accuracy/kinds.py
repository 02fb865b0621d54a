"""Which types the fields of a configuration have in a file."""

import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args, get_origin

from freezepack.train.config import RunConfig

_TEXTS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list of numbers",
}
NUMBERS_TOO = ("freezing_rate",)
"""Texts that may be written as numbers."""


def _kinds(name: str, hint: Any) -> tuple[type, ...]:
    """Return the types that a field may have as TOML; what may be None may be left out."""
    if isinstance(hint, types.UnionType):
        return tuple(kind for part in get_args(hint) for kind in _kinds(name, part))
    if get_origin(hint) is Mapping:
        return (dict,)
    if get_origin(hint) is tuple:
        return (list,)
    if hint is float:
        return (float, int)
    if name in NUMBERS_TOO:
        return (str, float, int)
    return () if hint is type(None) else (hint,)


KINDS: dict[str, tuple[type, ...]] = {
    entry.name: _kinds(entry.name, entry.type) for entry in fields(RunConfig)
}
"""Field of `RunConfig` to types."""


def check_kind(kinds: tuple[type, ...], value: object) -> str:
    """Return what was expected in place of a value, or "" if it fits.

    Examples
    --------
    >>> check_kind(KINDS["epochs"], "3"), check_kind(KINDS["epochs"], 3)
    ('a whole number', '')
    """
    fits = type(value) in kinds
    if isinstance(value, list):
        fits = fits and all(type(entry) in (int, float) for entry in value)
    return "" if fits else _TEXTS[kinds[0]]
