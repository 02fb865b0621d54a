"""A network whose values are integers on grids, and the file it would be at any moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from torch import Tensor, nn

from freezepack.codecs.joint import JointSpec, encode_joint
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
        self.overhead = size - self._coded()
        return size

    def estimate(self) -> int:
        """Return about the same quickly: the integers are coded, all else is as it was."""
        if self.overhead is None:
            return self.size()
        return self.overhead + self._coded()

    def _coded(self) -> int:
        levels = widen(self.optimizer.levels_of(), self.full)
        names = sorted(levels, key=str.encode)
        specs = [JointSpec(tuple(levels[name].shape)) for name in names]
        return len(encode_joint([levels[name].numpy() for name in names], specs))
