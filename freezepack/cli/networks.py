"""The network of a model file, with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from freezepack.checkpoints.torch_file import tensors_of
from freezepack.errors import CheckpointError
from freezepack.export.architecture import build_from_metadata
from freezepack.models.build import build_model

if TYPE_CHECKING:
    from torch import nn

    from freezepack.checkpoints.state import State
    from freezepack.models.build import Argument


def network_of(
    state: State, architecture: str | None = None, arguments: Mapping[str, Argument] | None = None
) -> nn.Module:
    """Build the network of a model file and give it its weights.

    Parameters
    ----------
    architecture : str, optional
        A name of `MODELS`; default: what the metadata says.

    Raises
    ------
    CheckpointError
        If the file does not say which network it is, or its tensors are not those of the network.
    UnknownNameError
        If there is no such model, or it has no such argument.
    """
    try:
        if architecture is None:
            network = build_from_metadata(state.metadata)
        else:
            network = build_model(architecture, arguments)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"the network cannot be built: {error}") from None
    try:
        network.load_state_dict(tensors_of(state.arrays, state.aliases))
    except RuntimeError as error:
        problems = "; ".join(line.strip() for line in str(error).splitlines()[1:])
        raise CheckpointError(f"the tensors are not those of the network: {problems}") from None
    return network
