"""From a model's name and arguments to the module."""

import inspect
from collections.abc import Mapping

from torch import nn

from freezepack.errors import UnknownNameError
from freezepack.models import MODELS

Argument = str | int | float | bool
"""What a model's argument may be: what JSON and a file's metadata can hold."""


def resolve_arguments(name: str, given: Mapping[str, Argument]) -> dict[str, Argument]:
    """Complete a model's arguments with its defaults, so that a record of them says everything.

    Parameters
    ----------
    name : str
        A name of `MODELS`.
    given : mapping
        The arguments that differ from the defaults. Not changed.

    Returns
    -------
    dict
        All arguments, in the order of the model's signature.

    Raises
    ------
    UnknownNameError
        If there is no such model, or it has no such argument.

    Examples
    --------
    >>> resolve_arguments("lenet5-caffe", {})
    {'relu': 'conv'}
    """
    parameters = inspect.signature(MODELS.get_part(name)).parameters
    for key in given:
        if key not in parameters:
            raise UnknownNameError(f"argument of model {name!r}", key, parameters)
    return {key: given.get(key, parameter.default) for key, parameter in parameters.items()}


def build_model(name: str, arguments: Mapping[str, Argument] | None = None) -> nn.Module:
    """Build a network with torch's own initialisation; `nn.fill_module` gives the seeded one.

    Raises
    ------
    UnknownNameError
        If there is no such model, or it has no such argument.

    Examples
    --------
    >>> sum(p.numel() for p in build_model("lenet5-caffe").parameters())
    431080
    """
    resolved = resolve_arguments(name, arguments or {})
    model: nn.Module = MODELS.get_part(name)(**resolved)
    return model
