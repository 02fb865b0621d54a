"""From a model's name and arguments to the module."""

from collections.abc import Mapping

from torch import nn

from freezepack.models import MODELS
from freezepack.registry import Argument
from freezepack.registry import resolve_arguments as resolve

__all__ = ["Argument", "build_model", "resolve_arguments"]


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
    return resolve(f"argument of model {name!r}", MODELS.get_part(name), given)


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
