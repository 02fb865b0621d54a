"""Weights that flip between two integers are held at the one they are at most of the time.

Near the end of training many latent values sit on a rounding threshold, where loss and price pull
in opposite directions, and change their integer every few steps. That is noise to all others.
"""

from math import cos, pi

import torch
from torch import Tensor


class Settling:
    """Who flips how often, and who is held.

    Parameters
    ----------
    levels : float32 Tensor, shape (n,)
        The first integers. Not kept.
    memory : float
        Share of the newest step in the moving averages.

    References
    ----------
    Nagel et al., "Overcoming Oscillations in Quantization-Aware Training", arXiv:2203.11086.
    """

    def __init__(self, levels: Tensor, memory: float = 0.01) -> None:
        self._memory = memory
        self.held = torch.zeros_like(levels, dtype=torch.bool)
        self._way = torch.zeros_like(levels)
        self._flips = torch.zeros_like(levels)
        self._mean = levels.clone()

    def watch(self, before: Tensor, levels: Tensor) -> None:
        """Take note of a step from one vector of integers to the next."""
        change = torch.sign(levels - before)
        flipped = (change * self._way < 0).to(levels.dtype)
        self._flips.lerp_(flipped, self._memory)
        self._mean.lerp_(levels, self._memory)
        self._way = torch.where(change != 0, change, self._way)

    def hold(self, threshold: float) -> tuple[Tensor, Tensor]:
        """Hold every weight that flips more often than `threshold` times a step.

        Returns
        -------
        new : bool Tensor, shape (n,)
            Which are held from now on and were not before.
        levels : float32 Tensor, shape (n,)
            Where each weight is on average, rounded.
        """
        new = (self._flips > threshold) & ~self.held
        self.held |= new
        return new, torch.round(self._mean)

    def permute(self, places: Tensor) -> None:
        """Give each weight what is known of another: weight i that of `places[i]`."""
        self.load_state({name: values[places] for name, values in self.state().items()})

    def state(self) -> dict[str, Tensor]:
        """Return what resuming needs."""
        return {"held": self.held, "way": self._way, "flips": self._flips, "mean": self._mean}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        self.held = state["held"].clone()
        self._way, self._flips = state["way"].clone(), state["flips"].clone()
        self._mean = state["mean"].clone()


def threshold_at(part: float, first: float = 0.04, last: float = 0.005) -> float:
    """Return the flips per step that are allowed after a part, 0 to 1, of the holding phase.

    Examples
    --------
    >>> threshold_at(0), threshold_at(1)
    (0.04, 0.005)
    """
    return last + (first - last) * (1 + cos(pi * part)) / 2
