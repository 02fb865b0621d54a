"""Packs and torch modules: into a model in place, and out of a model with its seed and masks."""

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from freezepack.checkpoints.bases import Paths
from freezepack.checkpoints.own import make_claims
from freezepack.checkpoints.state import State
from freezepack.checkpoints.torch_file import state_of
from freezepack.errors import CheckpointError
from freezepack.files import write_output
from freezepack.handle import PackFile, Source, open_pack
from freezepack.matching import check_forms, check_ties, explain_names, match_names
from freezepack.nn.frozen import rebuilt_tensors
from freezepack.nn.raw import raw_view, split_overlapping, wrap_raw
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
    backend: str | None = None,
) -> tuple[list[str], list[str]]:
    """Fill a model with the tensors of a pack, in place.

    Names, shapes and element types are compared before anything is changed. Tensors are made in
    the model's own memory, on its own device: nothing is allocated but for tensors that are not
    contiguous or that the model ties, one after the other, and what is trained. Tensors that
    overlap are filled one after the other. See `load_file` for what is sent to a GPU.

    Parameters
    ----------
    model : torch.nn.Module
        On any devices. Wrappers such as DistributedDataParallel are seen through.
    source : path, "-" or bytes-like
        The pack.
    strict : bool
        Refuse a pack that lacks names of the model or has others.
    base : path or sequence of paths
        What the pack is based on, besides seeds and zeros.
    max_bytes : int or None
        Most bytes of one tensor.
    backend : str, optional
        What makes the tensors, as for `freezepack.open`.

    Returns
    -------
    missing, unexpected : lists of str
        Names only in the model, and names only in the pack; empty if `strict`.

    Raises
    ------
    CheckpointError
        If names, shapes or element types differ, the pack has two contents for tied weights, or
        the model is frozen or has tensors without memory, on the device "meta" or expanded.
        Nothing is changed then. Without `strict`, names may differ, and of two contents the first
        counts.
    FormatError
        If the file is damaged. Tensors are changed by then, the damaged one included, unless the
        pack is a small one, which is checked as a whole before: load another pack into the model.

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
    options: dict[str, Any] = {"base": base, "max_bytes": max_bytes, "backend": backend}
    with open_pack(source, framework="torch", **options) as file:
        sources = dict(match_names(state.tensors, state.aliases, file))
        known = {*state.tensors, *state.aliases}
        tied = {alias for alias, owner in state.aliases.items() if owner in sources}
        missing = sorted(known - set(sources) - tied, key=str.encode)
        unexpected = [name for name in file.keys() if name not in known]  # noqa: SIM118
        if strict and (missing or unexpected):
            raise CheckpointError(explain_names(missing, unexpected, file.header.partial))
        check_forms(state.tensors, sources, file)
        _check_memory({name: state.tensors[name] for name in sources})
        if strict:
            check_ties(sources, state.aliases, file)
        _fill({stored: state.tensors[name] for name, stored in sources.items()}, file)
    return missing, unexpected


def _check_memory(tensors: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError if a tensor has no memory of its own for each element."""
    for name, tensor in tensors.items():
        if any(step == 0 and n > 1 for step, n in zip(tensor.stride(), tensor.shape, strict=True)):
            problem = f"{name} is expanded: several of its elements share memory"
            raise CheckpointError(f"{problem}; call contiguous() on it before")
        if tensor.device.type == "meta":
            # Torch would copy into it in silence.
            problem = f"{name} is on the device 'meta' and has no memory to be filled"
            raise CheckpointError(f"{problem}: call model.to_empty(device=...) before")


def _fill(targets: Mapping[str, Tensor], file: PackFile) -> None:
    """Make tensors of a pack, given by name, in the memory of others."""
    plain = {}
    for stored, tensor in targets.items():
        is_host = tensor.device.type == "cpu" or file.rebuilder_on(tensor.device) is not None
        if is_host and _is_plain(tensor):
            plain[stored] = tensor
        else:
            with torch.no_grad():
                tensor.copy_(_make(file, stored, tensor.device))
    for group in split_overlapping(plain):
        _fill_at_once(group, file)


def _fill_at_once(targets: Mapping[str, Tensor], file: PackFile) -> None:
    """Make tensors in memory that no two of them share, all of a device together."""
    here: dict[str, Tensor] = {}
    there: dict[torch.device, dict[str, Tensor]] = {}
    for stored, tensor in targets.items():
        remote = file.rebuilder_on(tensor.device)
        place = here if remote is None else there.setdefault(tensor.device, {})
        place[stored] = tensor
    try:
        file.rebuilder.fill_tensors({name: raw_view(tensor) for name, tensor in here.items()})
        for device, tensors in there.items():
            remote = file.rebuilder_on(device)
            if remote is not None:
                remote.fill_device_tensors(tensors)
    finally:
        for tensor in targets.values():
            _mark_changed(tensor)


def _mark_changed(tensor: Tensor) -> None:
    """Tell autograd that what it has kept of a tensor is stale."""
    if not tensor.is_inference():
        torch.autograd.graph.increment_version(tensor)


def _is_plain(tensor: Tensor) -> bool:
    """Whether the memory of a tensor is its elements in C order."""
    is_view = tensor.is_conj() or tensor.is_neg()
    return type(tensor) in {Tensor, nn.Parameter} and tensor.is_contiguous() and not is_view


def _make(file: PackFile, name: str, device: torch.device) -> Tensor:
    remote = file.rebuilder_on(device)
    if remote is not None:
        return remote.device_tensor(name)
    spec = file.rebuilder.record(name).spec
    return wrap_raw(file.rebuilder.tensor(name), spec.dtype, spec.shape)


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
