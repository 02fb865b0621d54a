"""Several processes that train one network: `torchrun -m freezepack train ...`.

Every process has all data and takes its share of each batch, so the batch size is that of the
whole. Only trained values are Parameters, so only their gradients travel. The first process
writes; what it finds out, the others are told.
"""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from freezepack.errors import FreezepackError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ranks:
    """The processes of a run.

    Attributes
    ----------
    rank, size : int
        Number of this process and of all; 0 and 1 without `torchrun`.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes and reports."""
        return self.rank == 0

    def take(self, where: Tensor) -> tuple[Tensor, float]:
        """Return this process's examples of a batch, and the factor of their mean loss.

        With the factor, the mean of the gradients over all processes is the gradient of the mean
        loss of the batch, however it divides. A process without an example takes the first one,
        with the factor 0.
        """
        if self.size == 1:
            return where, 1.0
        mine = where[self.rank :: self.size]
        factor = len(mine) * self.size / len(where)
        return (mine, factor) if len(mine) else (where[:1], 0.0)

    def add(self, tensor: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, the same bits in each."""
        if self.size > 1:
            total = tensor.detach().to(_communication_device(), copy=True)
            dist.all_reduce(total)
            return total.to(tensor.device)
        return tensor

    def wrap(self, model: nn.Module) -> nn.Module:
        """Let gradients be averaged over all processes.

        Buffers stay each process's own: those of a frozen weight never change, and sending them
        would cost as much as a dense network. So do the statistics of batch normalisation: each
        process normalises its share of a batch by that share's own, as smaller batches in one
        process would, and the first process's running statistics are evaluated and stored. Where
        a share is small, take layers that need no batch (`torch.nn.GroupNorm`), or convert the
        model before `freezepack.torch.freeze` with `torch.nn.SyncBatchNorm`, which torch has for
        GPUs only, and train it in a loop of your own.
        """
        if self.size == 1:
            return model
        known = inspect.signature(DistributedDataParallel).parameters
        # torch renamed the option
        name = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
        options: dict[str, Any] = {name: False, "gradient_as_bucket_view": True}
        return DistributedDataParallel(model, **options)

    def from_first(self, work: Callable[[], T]) -> T:
        """Return what `work` gives in the first process; raise in all if it raises there."""
        if self.size == 1:
            return work()
        outcome: list[Any] = [None, None]
        if self.is_first:
            try:
                outcome[0] = work()
            except Exception as error:
                outcome[1] = error
        dist.broadcast_object_list(outcome, src=0)
        if outcome[1] is not None:
            raise outcome[1]
        result: T = outcome[0]
        return result


def join_ranks(device: str) -> Ranks:
    """Join the processes that `torchrun` has started; alone without it.

    Raises
    ------
    FreezepackError
        If the environment names several processes, and this torch has no way to join them.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Ranks()
    if not dist.is_available():
        raise FreezepackError("this build of torch has no torch.distributed: train in one process")
    cuda = torch.device(device).type == "cuda"
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return Ranks(dist.get_rank(), dist.get_world_size())


def _communication_device() -> torch.device:
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
