"""What a checkpoint of our trainer says beside its tensors: seed, draws, masks."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from freezepack.checkpoints.state import State
from freezepack.errors import CheckpointError
from freezepack.format.constants import METADATA_KEYS
from freezepack.pack.claims import Claim
from freezepack.types import BoolArray, Draw, FileBase, Init, SeedBase, TensorSpec, ZerosBase

VERSION = 1
UNNAMED = 0
"""Digest in place of that of a base which the checkpoint does not know."""


def read_own(info: Mapping[str, Any], state: State) -> State:
    """Return the state with the claims and the metadata of a checkpoint.

    Every tensor gets a mask: the checkpoint's, and for a tensor that it does not name, all.

    Raises
    ------
    CheckpointError
        If the checkpoint is of a newer version, or names tensors it does not hold.
    """
    if info.get("checkpoint") != VERSION:
        found = info.get("checkpoint")
        raise CheckpointError(f"checkpoint version {found!r}, this freezepack reads {VERSION}")
    try:
        claims = _claims(info, state)
        metadata = _metadata(info)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"the checkpoint is damaged: {error!r}") from error
    return replace(state, claims=claims, metadata=metadata)


def make_claims(
    specs: Iterable[TensorSpec],
    *,
    fill: str,
    seed: int | None,
    inits: Mapping[str, Init],
    masks: Mapping[str, BoolArray],
    base_digest: int | None = None,
) -> dict[str, Claim]:
    """Return what is known of the tensors of a frozen model.

    Parameters
    ----------
    fill : {"seed", "zeros", "file"}
        What frozen weights are.
    inits, masks
        Draws of the seeded tensors, and masks of those of which something is frozen. Whatever
        has no mask is trained.

    Raises
    ------
    CheckpointError
        If a mask or a draw is for a tensor that is not there.
    """
    ordered = {spec.name: spec for spec in sorted(specs, key=lambda spec: spec.name.encode())}
    unknown = sorted({*masks, *inits} - set(ordered))
    if unknown:
        raise CheckpointError(f"masks or draws for tensors that are not there: {unknown}")
    key = None if seed is None else SeedBase(seed)
    claims: dict[str, Claim] = {}
    for stream, (name, spec) in enumerate(ordered.items()):
        mask = masks.get(name, np.broadcast_to(np.True_, spec.shape))
        if name in inits and key is not None:
            claims[name] = Claim(key, inits[name], mask)
        elif fill == "file" and name in masks:
            claims[name] = Claim(FileBase(base_digest or UNNAMED), None, mask)
        else:
            claims[name] = Claim(ZerosBase(), Init(Draw.constant, 0, 0, stream), mask, key)
    return claims


def _claims(info: Mapping[str, Any], state: State) -> dict[str, Claim]:
    specs = {name: spec for name, (spec, _) in state.arrays.items()}
    inits = {
        name: Init(Draw[draw], int(bits), int(tail), int(stream))
        for name, (draw, bits, tail, stream) in info["init"].items()
    }
    return make_claims(
        specs.values(),
        fill=info["fill"],
        seed=info["seed"],
        inits=inits,
        masks={name: _unpack_mask(bits, specs[name]) for name, bits in info["masks"].items()},
    )


def _unpack_mask(packed: Any, spec: TensorSpec) -> BoolArray:
    """Return a mask stored as bits, lowest first."""
    data = np.asarray(packed, np.uint8).reshape(-1)
    if data.size != (spec.size + 7) // 8:
        raise ValueError(f"the mask of {spec.name!r} has {data.size} bytes for {spec.size} entries")
    bits = np.unpackbits(data, bitorder="little")
    if bits[spec.size :].any():
        raise ValueError(f"the mask of {spec.name!r} has entries past the tensor")
    return bits[: spec.size].astype(np.bool_)


def _metadata(info: Mapping[str, Any]) -> dict[str, str]:
    metadata = {} if info["seed"] is None else {"seeds": str(int(info["seed"]))}
    if info.get("model"):
        metadata["architecture"] = str(info["model"])
    if info.get("model_args"):
        arguments = json.dumps(info["model_args"], sort_keys=True, separators=(",", ":"))
        metadata["architecture_arguments"] = arguments
    for key in ("freezing_rate", "score"):
        if info.get(key) not in (None, ""):
            metadata[key] = str(info[key])
    # Of the trainer's own notes, a pack keeps those that have a number there.
    known = set(METADATA_KEYS.values())
    notes = {str(k): str(v) for k, v in info.get("metadata", {}).items() if k in known}
    return metadata | notes
