"""A network whose values are integers on grids, and the file it would be at any moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from freezepack.codecs.joint import (
    MOST_POSITIONS,
    JointSpec,
    arrange,
    encode_joint,
    find_units,
    reorder,
)
from freezepack.nn.state import dense_state
from freezepack.pack.packer import Packed
from freezepack.rate.live import widen
from freezepack.rate.optimizer import RateOptimizer
from freezepack.rate.stored import pack_grid


@dataclass(slots=True)
class Rated:
    """A network and the optimiser that holds its integers.

    Attributes
    ----------
    model : torch.nn.Module
    optimizer : RateOptimizer
        Of the model's Parameters.
    full : mapping of name to tuple
        What `narrow` returned: shapes in the whole network of the tensors that are smaller here.
    metadata : mapping of str to str
        Of the file.
    overhead : int or None
        Bytes of the last pack beside the integers.

    Examples
    --------
    >>> model = nn.Linear(4, 2)
    >>> optimizer = RateOptimizer(model.named_parameters(), rate_weight=1e-3, steps=1)
    >>> rated = Rated(model, optimizer)
    >>> rated.size() == rated.estimate() == len(b"".join(rated.pack().pieces))
    True
    """

    model: nn.Module
    optimizer: RateOptimizer
    full: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    overhead: int | None = None

    @property
    def trained(self) -> int:
        """Weights, without biases and the like, that are not 0."""
        parts = [part.where for part in self.optimizer.parts if part.view is not None]
        return sum(int((self.optimizer.levels[where] != 0).sum()) for where in parts)

    @property
    def weights(self) -> int:
        """Weights of the whole network."""
        shapes = [self.full.get(p.name, p.shape) for p in self.optimizer.parts if p.view]
        return sum(map(prod, shapes))

    def whole_state(self) -> dict[str, Tensor]:
        """Return a copy of all tensors in the whole network's shapes, on the CPU."""
        return widen(dense_state(self.model), self.full)

    def pack(self, *, check: bool = True) -> Packed:
        """Return the pack of the network as it is now."""
        steps = self.optimizer.steps_of()
        return pack_grid(self.whole_state(), steps, self.metadata, check=check)

    def size(self) -> int:
        """Return the bytes of the pack of the network as it is now."""
        size = sum(map(len, self.pack(check=False).pieces))
        if self.weights <= MOST_POSITIONS:
            self.overhead = size - self._coded()
        return size

    def estimate(self) -> int:
        """Return about the same quickly: the integers are coded, all else is as it was."""
        if self.overhead is None:
            return self.size()
        return self.overhead + self._coded()

    @torch.no_grad()
    def arrange(self, example: Tensor, tries: int = 1000) -> bool:
        """Put hidden units in the order in which the file is smallest.

        Layers are taken for a chain. If the network is none and would answer differently on an
        example of its inputs, everything stays as it is.

        Returns
        -------
        bool
            Whether units have another order now.
        """
        parts = sorted(self.optimizer.parts, key=lambda part: part.name.encode())
        if sum(part.size for part in parts) > MOST_POSITIONS:
            return False
        specs, levels = [JointSpec(part.shape) for part in parts], self.optimizer.levels_of()
        units = find_units(specs)
        orders = arrange([levels[part.name].numpy() for part in parts], specs, units, tries=tries)
        old = [np.arange(p.size, dtype=np.int64).reshape(p.shape) + p.start for p in parts]
        new = reorder(old, units, orders)
        places = torch.zeros(len(self.optimizer.levels), dtype=torch.int64)
        for part, where in zip(parts, new, strict=True):
            places[part.where] = torch.from_numpy(where.reshape(-1))
        places = places.to(self.optimizer.levels.device)
        before = self._answer(example)
        self.optimizer.permute(places)
        if torch.allclose(self._answer(example), before, rtol=1e-3, atol=1e-3):
            return not torch.equal(places, places.sort().values)
        self.optimizer.permute(torch.argsort(places))
        return False

    def _answer(self, example: Tensor) -> Tensor:
        modes = [(module, module.training) for module in self.model.modules()]
        self.model.eval()
        answer: Tensor = self.model(example)
        for module, training in modes:
            module.training = training
        return answer

    def _coded(self) -> int:
        # without the rows that are left out: they cost next to nothing, which the overhead has
        levels = self.optimizer.levels_of()
        names = sorted(levels, key=str.encode)
        specs = [JointSpec(tuple(levels[name].shape)) for name in names]
        return len(encode_joint([levels[name].numpy() for name in names], specs))
