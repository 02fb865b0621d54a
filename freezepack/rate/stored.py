"""The file that a network on grids becomes."""

import json
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from freezepack.checkpoints.torch_file import state_of
from freezepack.codecs import INDEX_CODECS
from freezepack.codecs.base import ValueCodec
from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.grid.step import Step
from freezepack.models.build import Argument, resolve_arguments
from freezepack.pack.packer import Packed, pack_arrays

JOINT = "joint"
"""Index codec that codes positions and values as one stream of integers."""


def pack_grid(
    state: Mapping[str, Tensor],
    steps: Mapping[str, float],
    metadata: Mapping[str, str] | None = None,
    *,
    check: bool = True,
) -> Packed:
    """Pack the tensors of a whole network, those of which a step is known as integers.

    Parameters
    ----------
    state : mapping of name to Tensor
        Exactly on the grids.
    steps : mapping of name to float
        Steps of the grids: float32 of which the lower 16 bits are 0.
    metadata : mapping of str to str
        Such as `network_of` returns.
    check : bool
        Read the file again and compare.
    """
    codecs: dict[str, ValueCodec] = {name: Grid(grid_of(step)) for name, step in steps.items()}
    stored = state_of(state)
    return pack_arrays(
        stored.arrays,
        aliases=stored.aliases,
        metadata=metadata,
        index=JOINT if JOINT in INDEX_CODECS else "small",
        codecs=codecs,
        check=check,
    )


def grid_of(step: float) -> Step:
    """Return the grid of a step.

    Examples
    --------
    >>> grid_of(0.25)
    Step(multiple=1, shift=0, bits=1048576000)
    """
    return Step(1, 0, int(np.float32(step).view(np.uint32)))


def network_of(model: str, model_args: Mapping[str, Argument]) -> dict[str, str]:
    """Return the metadata that names a network: arguments only where they differ.

    Examples
    --------
    >>> network_of("lenet5-caffe", {"relu": "fc"})
    {'architecture': 'lenet5-caffe', 'architecture_arguments': '{"relu":"fc"}'}
    """
    usual = resolve_arguments(model, {})
    given = {key: value for key, value in model_args.items() if usual.get(key) != value}
    named = {"architecture": model}
    if given:
        text = json.dumps(given, sort_keys=True, separators=(",", ":"))
        named["architecture_arguments"] = text
    return named
