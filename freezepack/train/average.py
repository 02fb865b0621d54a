"""Moving average of what is trained: the values that are evaluated and packed in the end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of a model's trained Parameters.

    Frozen weights are no Parameters, so the average holds trained values only and cannot move
    anything else.

    Parameters
    ----------
    model : torch.nn.Module
        Its present values are the first average.
    decay : float
        Share of the old average in the new one, 0 <= decay < 1. It is lower at first, as
        (1 + steps) / (10 + steps), so that the first values are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.steps = 0
        self._decay = decay
        self._parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self._values = {name: p.detach().clone() for name, p in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the present values in; to be called after each step of the optimiser."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        for name, parameter in self._parameters.items():
            self._values[name].lerp_(parameter, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the model have the averages for the block, and its own values behind it."""
        own = {name: p.detach().clone() for name, p in self._parameters.items()}
        self.apply()
        try:
            yield
        finally:
            self._write(own)

    def apply(self) -> None:
        """Give the model the averages for good."""
        self._write(self._values)

    def state(self) -> dict[str, object]:
        """Return what resuming needs."""
        return {"steps": self.steps, "values": {k: v.cpu() for k, v in self._values.items()}}

    def load_state(self, state: Mapping[str, object]) -> None:
        """Go on from what `state` returned."""
        values = state["values"]
        if not isinstance(values, dict) or set(values) != set(self._values):
            raise ValueError("the average belongs to another model")
        self.steps = int(str(state["steps"]))
        for name, value in values.items():
            self._values[name].copy_(value)

    @torch.no_grad()
    def _write(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])
