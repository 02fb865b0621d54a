"""Packs and torch modules: into a model in place, and out of a model with its seed and masks."""

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from freezepack.checkpoints.bases import Paths
from freezepack.checkpoints.own import make_claims
from freezepack.checkpoints.state import State
from freezepack.checkpoints.torch_file import state_of
from freezepack.errors import CheckpointError
from freezepack.files import write_output
from freezepack.handle import Source, open_pack
from freezepack.matching import check_forms, check_ties, explain_names, match_names
from freezepack.nn.frozen import rebuilt_tensors
from freezepack.nn.raw import wrap_raw
from freezepack.nn.record import record_of
from freezepack.nn.state import named_state, unwrap
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES
from freezepack.saving import Draws, SaveOptions, pack_state


def load_into(
    model: nn.Module,
    source: Source,
    *,
    strict: bool = True,
    base: Paths = None,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> tuple[list[str], list[str]]:
    """Fill a model with the tensors of a pack, in place and one at a time.

    Names, shapes and element types are compared before anything is changed; beyond the model
    itself, no more than its largest tensor is held in memory, or two that the model ties.

    Parameters
    ----------
    model : torch.nn.Module
        On any device. Wrappers such as DistributedDataParallel are seen through.
    source : path, "-" or bytes-like
        The pack.
    strict : bool
        Refuse a pack that lacks names of the model or has others.
    base : path or sequence of paths
        What the pack is based on, besides seeds and zeros.
    max_bytes : int or None
        Most bytes of one tensor.

    Returns
    -------
    missing, unexpected : lists of str
        Names only in the model, and names only in the pack; empty if `strict`.

    Raises
    ------
    CheckpointError
        If names, shapes or element types differ, the pack has two contents for tied weights, or
        the model is frozen. Nothing is changed then. Without `strict`, names may differ, and of
        two contents the first counts.
    FormatError
        If the file is damaged. Tensors before the damaged one are changed by then, unless the
        pack is a small one, which is checked as a whole before.

    Examples
    --------
    >>> import freezepack.torch
    >>> data = freezepack.torch.save(nn.Linear(3, 2).state_dict())
    >>> load_into(nn.Linear(3, 2), data)
    ([], [])
    """
    inner = unwrap(model)
    if rebuilt_tensors(inner):
        problem = "the model is frozen, and the pack would replace its base"
        raise CheckpointError(f"{problem}: load into a model that is not, then freeze it")
    state = named_state(inner)
    with open_pack(source, framework="raw", base=base, max_bytes=max_bytes) as file:
        sources = dict(match_names(state.tensors, state.aliases, file))
        known = {*state.tensors, *state.aliases}
        tied = {alias for alias, owner in state.aliases.items() if owner in sources}
        missing = sorted(known - set(sources) - tied, key=str.encode)
        unexpected = [name for name in file.keys() if name not in known]  # noqa: SIM118
        if strict and (missing or unexpected):
            raise CheckpointError(explain_names(missing, unexpected, file.header.partial))
        check_forms(state.tensors, sources, file)
        if strict:
            check_ties(sources, state.aliases, file)
        for name, stored in sources.items():
            spec = file.rebuilder.record(stored).spec
            made = wrap_raw(file.rebuilder.tensor(stored), spec.dtype, spec.shape)
            with torch.no_grad():
                state.tensors[name].copy_(made)
    return missing, unexpected


def load_model(
    model: nn.Module,
    path: str | os.PathLike[str],
    strict: bool = True,
    *,
    base: Paths = None,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> tuple[list[str], list[str]]:
    """Fill a model with the tensors of a file; `load_into` under safetensors' name."""
    return load_into(model, path, strict=strict, base=base, max_bytes=max_bytes)


def save_model(
    model: nn.Module,
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    *,
    seed: int | None = None,
    init: Draws = None,
    base: Paths = None,
    index: str = "small",
    values: str = "auto",
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> None:
    """Write a model to a pack; an existing file is replaced, all or nothing.

    A model frozen by `freeze` is packed with the seed and the masks that it was frozen with. One
    that was frozen at the weights of a checkpoint needs that checkpoint as `base`.

    Parameters
    ----------
    model : torch.nn.Module
        Not changed. Tied weights are stored once.
    path : path or "-"
        Where to.
    metadata : mapping of str to str
        Text that changes no weight.
    seed, init, base, index, values, max_bytes
        As for `save`; not needed for a model frozen from a seed.
    """
    found = named_state(model)
    tensors = {**found.tensors, **{a: found.tensors[o] for a, o in found.aliases.items()}}
    state = _with_claims(model, state_of(tensors))
    options = SaveOptions(seed, init, base, None, index, values, max_bytes)
    write_output(path, pack_state(state, metadata, options).pieces, force=True)


def _with_claims(model: nn.Module, state: State) -> State:
    record = record_of(model)
    if record is None:
        return state
    metadata: dict[str, Any] = {"freezing_rate": record.freezing_rate, "score": record.score}
    if record.seed is not None:
        metadata["seeds"] = str(record.seed)
    claims = make_claims(
        [spec for spec, _ in state.arrays.values()],
        fill=record.fill,
        seed=record.seed,
        inits=record.init,
        masks=record.masks,
        base_digest=record.base_digest,
    )
    return State(state.arrays, state.aliases, claims, metadata)
