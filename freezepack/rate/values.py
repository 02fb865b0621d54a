"""Parameters as parts of a vector: their gradients, their moments, the first step of a grid."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from freezepack.errors import SelectionError
from freezepack.rate.layout import Part
from freezepack.rate.options import GridOptions

_SMALL = 1e-9


class Moments:
    """What Adam keeps of a vector.

    Parameters
    ----------
    count : int
        Elements of the vector.
    betas : (float, float)
        As torch has them.
    """

    def __init__(self, count: int, betas: tuple[float, float], device: torch.device) -> None:
        self._betas = betas
        self.both = torch.zeros(2, count, device=device)

    def move(self, gradients: Tensor, done: int) -> Tensor:
        """Return what a step with a learning rate of 1 takes off, the step number `done`."""
        first, second = self._betas
        self.both[0].lerp_(gradients, 1 - first)
        self.both[1].mul_(second).addcmul_(gradients, gradients, value=1 - second)
        spread = (self.both[1] / (1 - second**done)).sqrt_().add_(_SMALL)
        return self.both[0] / (1 - first**done) / spread


def check_parameters(pairs: Sequence[tuple[str, nn.Parameter]]) -> None:
    """Raise SelectionError unless there are Parameters, float32 and on one device."""
    if not pairs:
        raise SelectionError("no Parameter is trained, so there is nothing to put on a grid")
    devices = {p.device for _, p in pairs}
    if len(devices) > 1:
        raise SelectionError(f"Parameters are on {len(devices)} devices, expected one")
    for name, parameter in pairs:
        if parameter.dtype != torch.float32:
            found = str(parameter.dtype).removeprefix("torch.")
            raise SelectionError(f"{name} is {found}, expected float32: call model.float() before")


def gradient_of(parameter: nn.Parameter) -> Tensor:
    """Return the gradient as a vector; zeros where there is none."""
    if parameter.grad is None:
        return torch.zeros(prod(parameter.shape), device=parameter.device)
    return parameter.grad.reshape(-1)


def first_step(parameter: nn.Parameter, part: Part, options: GridOptions) -> float:
    """Return the first step of a grid: of a weight, in terms of its present values."""
    if part.view is None:
        return options.vector_step
    spread = float(parameter.detach().square().mean().sqrt())
    return options.coarseness * spread if spread > 0 else options.vector_step
