"""What a checkpoint of our trainer says beside its tensors: seed, draws, masks."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from freezepack.checkpoints.state import State
from freezepack.errors import CheckpointError
from freezepack.pack.claims import Claim
from freezepack.types import BoolArray, Draw, Init, SeedBase, TensorSpec, ZerosBase

VERSION = 1


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


def _claims(info: Mapping[str, Any], state: State) -> dict[str, Claim]:
    seed = SeedBase(int(info["seed"]))
    masks, inits = info.get("masks", {}), info.get("init", {})
    unknown = sorted({*masks, *inits} - set(state.arrays))
    if unknown:
        raise CheckpointError(f"the checkpoint lacks the tensors {', '.join(unknown)}")
    claims: dict[str, Claim] = {}
    for stream, name in enumerate(sorted(state.arrays, key=str.encode)):
        spec = state.arrays[name][0]
        mask = _unpack_mask(masks[name], spec) if name in masks else None
        if mask is None:
            mask = np.broadcast_to(np.True_, (spec.size,))
        if name in inits:
            draw, bits, tail, own = inits[name]
            init = Init(Draw[draw], int(bits), int(tail), int(own))
            claims[name] = Claim(seed, init, mask)
        else:
            place = Init(Draw.constant, 0, 0, stream)
            claims[name] = Claim(ZerosBase(), place, mask, seed)
    return claims


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
    metadata = {"seeds": str(int(info["seed"]))}
    if info.get("model"):
        metadata["architecture"] = str(info["model"])
    if info.get("model_args"):
        arguments = json.dumps(info["model_args"], sort_keys=True, separators=(",", ":"))
        metadata["architecture_arguments"] = arguments
    for key in ("freezing_rate", "score"):
        if info.get(key) not in (None, ""):
            metadata[key] = str(info[key])
    return metadata | {str(k): str(v) for k, v in info.get("metadata", {}).items()}
