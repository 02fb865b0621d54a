"""Tensors of a module under their stored names: unwrapped, in file order, aliases apart."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from freezepack.errors import CheckpointError
from freezepack.nn.frozen import rebuilt_tensors
from freezepack.nn.whole import check_gathered


@dataclass(frozen=True, slots=True)
class State:
    """The tensors of a network in file order.

    Attributes
    ----------
    tensors : dict
        Name to tensor, names sorted by their UTF-8 bytes, without aliases. Not copied.
    aliases : dict
        Alias to the name that owns the tensor.
    """

    tensors: dict[str, Tensor]
    aliases: dict[str, str]

    @property
    def streams(self) -> dict[str, int]:
        """Stream number of each tensor: its rank in file order."""
        return {name: rank for rank, name in enumerate(self.tensors)}


def unwrap(model: nn.Module) -> nn.Module:
    """Take off what DistributedDataParallel, DataParallel and torch.compile put around a module.

    And what `torch.optim.swa_utils.AveragedModel` does.

    Examples
    --------
    >>> layer = nn.Linear(2, 2)
    >>> unwrap(nn.DataParallel(layer)) is layer
    True
    """
    while True:
        if isinstance(model, (DistributedDataParallel, DataParallel, AveragedModel)):
            model = model.module
        elif isinstance(getattr(model, "_orig_mod", None), nn.Module):
            model = model._orig_mod  # type: ignore[assignment]
        else:
            return model


def named_state(model: nn.Module) -> State:
    """Return the tensors of a module, those under a frozen overlay rebuilt.

    Parameters
    ----------
    model : torch.nn.Module
        Wrappers are taken off. Not changed.

    Returns
    -------
    State
        Parameters and persistent buffers; the tensors share memory with the module's.

    Raises
    ------
    CheckpointError
        If the module has an extra state that is not a tensor, two tensors of one name, or one
        that is sharded.

    Examples
    --------
    >>> list(named_state(nn.BatchNorm1d(2)).tensors)
    ['bias', 'num_batches_tracked', 'running_mean', 'running_var', 'weight']
    """
    inner = unwrap(model)
    rebuilt = rebuilt_tensors(inner)
    hidden = tuple(f"{parent}parametrizations.{leaf}." for parent, leaf in map(_split, rebuilt))
    plain = {k: v for k, v in inner.state_dict().items() if not hidden or not k.startswith(hidden)}
    check_gathered(plain.items())
    tensors: dict[str, Tensor] = {}
    for key, value in {**plain, **rebuilt}.items():
        name = ".".join(part for part in key.split(".") if part != "_orig_mod")
        if not isinstance(value, Tensor):
            raise CheckpointError(f"{name} is a {type(value).__name__}, expected a tensor")
        if name in tensors:
            raise CheckpointError(f"two tensors are named {name!r}")
        tensors[name] = value
    return order(tensors)


def order(tensors: Mapping[str, Tensor]) -> State:
    """Sort tensors into file order and set the aliases of tied weights apart.

    Tied means the same storage, shape, strides and element type, never equal content; a lazily
    conjugated or negated view is not tied to its origin. The tensor belongs to the first of its
    names.

    Examples
    --------
    >>> tied = torch.ones(2)
    >>> state = order({"b": tied, "a": tied, "c": torch.ones(2)})
    >>> list(state.tensors), state.aliases
    (['a', 'c'], {'b': 'a'})
    """
    owners: dict[tuple[object, ...], str] = {}
    kept: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    for name in sorted(tensors, key=lambda text: text.encode()):
        tensor = tensors[name]
        key = _identity(tensor)
        if key is None or key not in owners:
            kept[name] = tensor
            if key is not None:
                owners[key] = name
        else:
            aliases[name] = owners[key]
    return State(kept, aliases)


def dense_state(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of all tensors in CPU memory, as a module without overlay loads them.

    Aliases are included and share their owner's copy.

    Examples
    --------
    >>> {name: tuple(t.shape) for name, t in dense_state(nn.Linear(3, 2)).items()}
    {'bias': (2,), 'weight': (2, 3)}
    """
    state = named_state(model)
    copies = {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in state.tensors.items()
    }
    names = sorted([*copies, *state.aliases], key=lambda text: text.encode())
    return {name: copies[state.aliases.get(name, name)] for name in names}


def _identity(tensor: Tensor) -> tuple[object, ...] | None:
    if tensor.numel() == 0 or tensor.device.type == "meta":
        return None
    place = tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype
    # views that conjugate or negate lazily read other values from the same memory
    return *place, tensor.is_conj(), tensor.is_neg()


def _split(name: str) -> tuple[str, str]:
    parent, dot, leaf = name.rpartition(".")
    return parent + dot, leaf
