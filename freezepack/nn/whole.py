"""Whether the tensors of a module are whole and in memory, or why they cannot be worked with."""

import sys
from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from freezepack.errors import CheckpointError, SelectionError


def check_whole(model: nn.Module) -> None:
    """Refuse a model that is sharded, without memory, or of which shapes are not known yet.

    Parameters
    ----------
    model : torch.nn.Module
        Not changed.

    Raises
    ------
    SelectionError
        The message names the tensor or module, and what to do first.

    Examples
    --------
    >>> check_whole(nn.LazyLinear(2))
    Traceback (most recent call last):
    freezepack.errors.SelectionError: weight has no shape yet: run the model once before
    """
    for name, module in model.named_modules():
        if isinstance(module, _sharding_modules()):
            place = repr(name) if name else "the model"
            problem = f"{place} is sharded by FSDP, so no process has its whole weights"
            raise SelectionError(f"{problem}: freeze first, then call fully_shard")
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if is_lazy(tensor):
            raise SelectionError(f"{name} has no shape yet: run the model once before")
        if is_sharded(tensor):
            problem = f"{name} is a DTensor, so no process has all of it"
            raise SelectionError(f"{problem}: freeze before the model is distributed")
        if tensor.device.type == "meta":
            problem = f"{name} is on the device 'meta' and has no memory"
            raise SelectionError(f"{problem}: call model.to_empty(device=...) and initialise it")


def check_gathered(tensors: Iterable[tuple[str, object]]) -> None:
    """Raise CheckpointError if a tensor is only a part of one, as FSDP2 leaves it."""
    for name, tensor in tensors:
        if isinstance(tensor, Tensor) and is_sharded(tensor):
            problem = f"{name} is a DTensor, so this process may have a part of it only"
            remedy = (
                "load its full state dict (get_model_state_dict) into a model that is not sharded"
            )
            raise CheckpointError(f"{problem}: {remedy}")


def is_sharded(tensor: Tensor) -> bool:
    """Return whether a tensor is distributed over a mesh of devices."""
    return hasattr(tensor, "device_mesh")


def _sharding_modules() -> tuple[type, ...]:
    """Return the classes of both FSDPs; none while torch has not loaded them."""
    fsdp = sys.modules.get("torch.distributed.fsdp")
    names = ("FSDPModule", "FullyShardedDataParallel")
    return tuple(getattr(fsdp, name) for name in names if hasattr(fsdp, name))
