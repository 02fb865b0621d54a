"""The checkpoint of a run: dense weights, seed, masks, and what resuming needs."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from freezepack.errors import CheckpointError
from freezepack.files import replace_file
from freezepack.models.build import Argument
from freezepack.nn.record import FreezeRecord
from freezepack.types import BoolArray, Draw, Init

VERSION = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What `model.pt` holds; `torch.load(..., weights_only=True)` reads it.

    Attributes
    ----------
    model, model_args
        Name and arguments of the network.
    record : FreezeRecord
        Base and masks.
    state : dict of name to Tensor
        Dense weights on the CPU, aliases included.
    metadata : dict of str to str
        What a pack may repeat.
    training : dict
        Epoch, optimiser and generator state for resuming; empty once training is finished.
    """

    model: str
    model_args: Mapping[str, Argument]
    record: FreezeRecord
    state: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; an existing file is replaced in one step."""
    record = checkpoint.record
    ours: dict[str, Any] = {
        "checkpoint": VERSION,
        "model": checkpoint.model,
        "model_args": dict(checkpoint.model_args),
        "seed": record.seed,
        "fill": record.fill,
        "freezing_rate": record.freezing_rate,
        "score": record.score,
        "metadata": dict(checkpoint.metadata),
        "init": {k: [i.draw.name, i.bits, i.tail, i.stream] for k, i in record.init.items()},
        "masks": {name: pack_mask(mask) for name, mask in record.masks.items()},
    }
    content: dict[str, Any] = {"freezepack": ours, "state_dict": dict(checkpoint.state)}
    if checkpoint.training:
        content["training"] = dict(checkpoint.training)
    with replace_file(path, force=True) as stream:
        torch.save(content, stream)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint that `save_checkpoint` wrote; nothing in it is executed.

    Raises
    ------
    CheckpointError
        If the file is missing, not readable with `weights_only=True`, or not one of ours.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} cannot be read with weights_only=True: {reason}") from error
    if not isinstance(content, dict) or not isinstance(content.get("freezepack"), dict):
        raise CheckpointError(f"{path} is not a checkpoint of freezepack train")
    ours = content["freezepack"]
    if ours.get("checkpoint") != VERSION:
        found = ours.get("checkpoint")
        raise CheckpointError(f"{path} is checkpoint version {found}, expected {VERSION}: upgrade")
    try:
        return _parse(ours, content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} breaks the checkpoint layout: {error!r}") from error


def pack_mask(mask: BoolArray) -> Tensor:
    """Return a mask as bits, the first in the lowest bit of the first byte.

    Examples
    --------
    >>> pack_mask(np.array([[True, False], [False, True]])).tolist()
    [9]
    """
    return torch.from_numpy(np.packbits(mask.reshape(-1), bitorder="little"))


def unpack_mask(bits: Tensor, shape: tuple[int, ...]) -> BoolArray:
    """Return the mask of a weight of that shape.

    Raises
    ------
    ValueError
        If there are more or fewer bytes than the shape needs, or spare bits are set.
    """
    size = int(np.prod(shape, dtype=np.int64))
    flat = np.unpackbits(bits.numpy(), bitorder="little")
    if len(bits) != (size + 7) // 8 or flat[size:].any():
        raise ValueError(f"a mask has {len(bits)} bytes, expected {(size + 7) // 8}, spare bits 0")
    return flat[:size].astype(np.bool_).reshape(shape)


def _parse(ours: Mapping[str, Any], content: Mapping[str, Any]) -> Checkpoint:
    state: dict[str, Tensor] = content["state_dict"]
    record = FreezeRecord(
        fill=ours["fill"],
        seed=ours["seed"],
        freezing_rate=ours["freezing_rate"],
        score=ours["score"],
        init={k: Init(Draw[d], b, t, s) for k, (d, b, t, s) in ours["init"].items()},
        masks={k: unpack_mask(bits, tuple(state[k].shape)) for k, bits in ours["masks"].items()},
    )
    training = content.get("training", {})
    return Checkpoint(ours["model"], ours["model_args"], record, state, ours["metadata"], training)
