"""An optimiser for networks that will be stored as integers: the price of a file is in its loss."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from freezepack.rate.layout import Part, lay_out
from freezepack.rate.options import GridOptions
from freezepack.rate.prices import price_vector, price_weights
from freezepack.rate.settling import Settling, threshold_at
from freezepack.rate.values import Moments, check_parameters, first_step, gradient_of

_VECTOR_MOST = 60
"""Largest integer of a bias: they are few, so range costs little."""
_REFRESHES = 100
"""How often prices are estimated in a training, at least."""


class RateOptimizer(torch.optim.Optimizer):
    """Adam on latent values whose rounding are the integers of a grid, with the rate in the loss.

    Each Parameter is always ``step * round(latent)``, exactly as it will be stored: gradients
    pass the rounding as if it were not there, and `rate_weight` times the bits of the file is
    added to the loss, in its gradient. Any training loop does: `backward`, `step`.

    Parameters
    ----------
    named : iterable of (name, Parameter)
        In the order of the network, as `named_parameters` gives them. Present values are rounded
        to their grids at once. All on one device, float32.
    rate_weight : float
        Loss that a bit is worth. It may be changed at any time, as an attribute.
    steps : int
        Steps of the whole training, which `ramp` and `hold_from` are shares of.
    lr : float
        In steps of the grid. Falls to 0 as the schedule says that sets it in `param_groups`.
    fixed : iterable of str
        Names of Parameters that stay 0.

    Notes
    -----
    The gradient of a price is taken as its slope between two integers, so a weight that would be
    alone in its row is drawn to 0 more strongly than one among others: rows, columns and channels
    empty out by themselves.

    Examples
    --------
    >>> layer = nn.Linear(4, 2, bias=False)
    >>> optimizer = RateOptimizer(layer.named_parameters(), rate_weight=1e-3, steps=10)
    >>> layer(torch.ones(1, 4)).square().sum().backward()
    >>> optimizer.step()
    >>> levels = layer.weight / optimizer.steps_of()["weight"]
    >>> bool((levels == levels.round()).all())
    True
    """

    def __init__(
        self,
        named: Iterable[tuple[str, nn.Parameter]],
        *,
        rate_weight: float,
        steps: int,
        lr: float = 0.06,
        betas: tuple[float, float] = (0.9, 0.99),
        options: GridOptions | None = None,
        fixed: Iterable[str] = (),
    ) -> None:
        pairs = [(name, p) for name, p in named if p.requires_grad]
        check_parameters(pairs)
        super().__init__([p for _, p in pairs], {"lr": lr})
        self.rate_weight, self.steps = rate_weight, steps
        self.options = options or GridOptions()
        self.parts = lay_out(pairs)
        self._betas, self._done = betas, 0
        self._parameters = [p for _, p in pairs]
        self._start(set(fixed))

    def _start(self, fixed: set[str]) -> None:
        device, count = self._parameters[0].device, sum(part.size for part in self.parts)
        firsts = [first_step(p, part, self.options) for p, part in self._pairs()]
        self._log_steps = torch.tensor(firsts, device=device).log()
        sizes = torch.tensor([part.size for part in self.parts], device=device)
        self._owner = torch.repeat_interleave(torch.arange(len(sizes), device=device), sizes)
        learned = torch.tensor([part.view is not None for part in self.parts], device=device)
        self._learned = learned.to(torch.float32)
        most = torch.where(learned, float(self.options.most), float(_VECTOR_MOST))
        self._most = most[self._owner]
        values = torch.cat([p.detach().reshape(-1) for p in self._parameters])
        self._latent = self._bound(values / self._log_steps.exp()[self._owner])
        self._moments = Moments(count, self._betas, device)
        self._step_moments = Moments(len(sizes), self._betas, device)
        self._first, self._more = torch.zeros(2, count, device=device)
        self._fits: dict[str, np.ndarray[Any, Any]] = {}
        self.levels = torch.round(self._latent)
        self._settling = Settling(self.levels)
        for part in self.parts:
            if part.name in fixed:
                self._latent[part.where] = self.levels[part.where] = 0.0
                self._settling.held[part.where] = True
        self._write()

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take a step: gradients of the Parameters in, new values on the grid out."""
        if closure is not None:
            raise ValueError("RateOptimizer takes no closure")
        if self._done % min(self.options.refresh, -(-self.steps // _REFRESHES)) == 0:
            self._price()
        part = self._done / self.steps
        gradients = self.gradient()
        scale = self._log_steps.exp()
        values = self.levels * scale[self._owner]
        toward = torch.zeros_like(scale).index_add_(0, self._owner, gradients * values)
        weight = self.rate_weight * min(1.0, part / max(self.options.ramp, 1 / self.steps))
        slope = torch.where(self._latent.abs() < 1, self._first, self._more)
        gradients = gradients * scale[self._owner] + weight * slope * torch.sign(self._latent)
        gradients[self._settling.held] = 0.0
        self._done += 1
        lr = float(self.param_groups[0]["lr"])
        move = self._moments.move(gradients, self._done).mul_(lr)
        move[self._settling.held] = 0.0
        self._latent = self._bound(self._latent - move)
        shift = self._step_moments.move(toward * self._learned, self._done)
        self._log_steps -= shift * self._learned * (lr * self.options.scale_lr)
        before, self.levels = self.levels, torch.round(self._latent)
        self._settling.watch(before, self.levels)
        self._hold(part)
        self._write()

    def steps_of(self) -> dict[str, float]:
        """Return the step of each Parameter's grid: float32 with the upper 16 bits alone."""
        return dict(zip((p.name for p in self.parts), self._steps().tolist(), strict=True))

    def levels_of(self) -> dict[str, Tensor]:
        """Return the integers of each Parameter, in its shape, int32 on the CPU."""
        levels = self.levels.to("cpu", torch.int32)
        return {part.name: levels[part.where].view(part.shape) for part in self.parts}

    @torch.no_grad()
    def set_levels(self, levels: Tensor) -> None:
        """Take other integers, a vector as `levels`, and hold them where they changed."""
        changed = levels != self.levels
        self.levels = levels.clone()
        self._latent = torch.where(changed, self.levels, self._latent)
        self._settling.held |= changed
        self._write()

    @torch.no_grad()
    def permute(self, places: Tensor) -> None:
        """Give each element what another has: element i that of `places[i]`, an int64 vector."""
        self.levels, self._latent = self.levels[places], self._latent[places]
        self._moments.both = self._moments.both[:, places]
        self._first, self._more = self._first[places], self._more[places]
        self._settling.permute(places)
        self._write()

    def gradient(self) -> Tensor:
        """Return the present gradient of all Parameters, a vector as `levels`."""
        return torch.cat([gradient_of(p) for p in self._parameters])

    def widths(self) -> Tensor:
        """Return the step of each element's grid, a vector as `levels`."""
        return self._steps()[self._owner]

    def savings(self) -> Tensor:
        """Return the bits that one less would save at each element that is not 0."""
        self._price()
        return torch.where(self.levels.abs() > 1, self._more, self._first)

    def state_dict(self) -> dict[str, Any]:
        """Return what resuming needs, beside the arguments."""
        return {
            "done": self._done,
            "rate_weight": self.rate_weight,
            "latent": self._latent,
            "log_steps": self._log_steps,
            "moments": self._moments.both,
            "step_moments": self._step_moments.both,
            "first": self._first,
            "more": self._more,
            "fits": {name: torch.from_numpy(fit) for name, fit in self._fits.items()},
            "settling": self._settling.state(),
        }

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned; the Parameters get their values back."""
        self._done, self.rate_weight = state_dict["done"], state_dict["rate_weight"]
        self._latent, self._log_steps = (
            state_dict["latent"].clone(),
            state_dict["log_steps"].clone(),
        )
        self._moments.both = state_dict["moments"].clone()
        self._step_moments.both = state_dict["step_moments"].clone()
        self._first, self._more = state_dict["first"].clone(), state_dict["more"].clone()
        self._fits = {name: fit.numpy().copy() for name, fit in state_dict["fits"].items()}
        self._settling.load_state(state_dict["settling"])
        self.levels = torch.round(self._latent)
        self._write()

    def _pairs(self) -> Iterable[tuple[nn.Parameter, Part]]:
        return zip(self._parameters, self.parts, strict=True)

    def _bound(self, latent: Tensor) -> Tensor:
        limit = self._most + 0.49
        return torch.minimum(torch.maximum(latent, -limit), limit)

    def _steps(self) -> Tensor:
        return self._log_steps.exp().to(torch.bfloat16).to(torch.float32)

    @torch.no_grad()
    def _write(self) -> None:
        # the sum makes 0 of -0, which is not on a grid
        values = self.levels * self._steps()[self._owner] + 0.0
        for parameter, part in self._pairs():
            parameter.copy_(values[part.where].view(part.shape))

    def _price(self) -> None:
        levels = self.levels.cpu().numpy().astype(np.int64)
        for part in self.parts:
            own = levels[part.where]
            if part.view is None:
                prices = price_vector(own)
            else:
                prices = price_weights(own, part.view, self._fits.get(part.name))
                self._fits[part.name] = prices.weights
            self._first[part.where] = torch.from_numpy(prices.first).to(self._first)
            self._more[part.where] = prices.more

    def _hold(self, part: float) -> None:
        start = self.options.hold_from
        if part <= start or self._done % 10:
            return
        new, levels = self._settling.hold(threshold_at((part - start) / (1 - start)))
        self._latent = torch.where(new, levels, self._latent)
        self.levels = torch.where(new, levels, self.levels)
