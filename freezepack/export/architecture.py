"""The network that a pack's metadata names."""

import json
from collections.abc import Mapping

from torch import nn

from freezepack.errors import CheckpointError
from freezepack.models.build import Argument, build_model


def build_from_metadata(metadata: Mapping[str, str]) -> nn.Module:
    """Build the network that the metadata of a pack names; its weights are still to be loaded.

    Metadata chooses among the models of this version and their arguments, never code.

    Parameters
    ----------
    metadata : mapping of str to str
        `architecture` is a name of `MODELS`; `architecture_arguments`, if there, a JSON object.

    Raises
    ------
    CheckpointError
        If no architecture is named, or its arguments are not those of the model.
    UnknownNameError
        If there is no such model, or it has no such argument.

    Examples
    --------
    >>> type(build_from_metadata({"architecture": "lenet-300-100"})).__name__
    'LeNet300100'
    """
    name = metadata.get("architecture")
    if name is None:
        raise CheckpointError(
            "the pack does not say which network it belongs to; load its tensors into your own "
            "with freezepack.torch.load_into(model, path)"
        )
    return build_model(name, parse_model_arguments(metadata.get("architecture_arguments", "{}")))


def parse_model_arguments(text: str) -> dict[str, Argument]:
    """Read a model's arguments from JSON.

    Raises
    ------
    CheckpointError
        If the text is not a JSON object of strings, numbers and booleans.
    """
    try:
        arguments = json.loads(text)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict) or not all(
        isinstance(value, str | int | float | bool) for value in arguments.values()
    ):
        raise CheckpointError(f"architecture_arguments is {text!r}, expected a JSON object")
    return arguments
