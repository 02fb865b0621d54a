"""A network made up for timing: seeded weights, a few of which have moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freezepack.bench.cases import Case
from freezepack.bench.masks import NetworkMask, TensorMask
from freezepack.random import fill_raw, make_init
from freezepack.types import BoolArray, DType, Init, Positions

SEED = 1
SIDE = 2000
"""Rows and columns of most weights, as in the linear layers of a small transformer."""
SPREAD = 0.7
"""How much rows and columns differ in density: standard deviation of the log of a factor."""
SCALE = 0.02


@dataclass(frozen=True, slots=True)
class Network:
    """Weights of float32, their masks and their draws, by name."""

    weights: Mapping[str, NDArray[np.float32]]
    masks: Mapping[str, BoolArray]
    inits: Mapping[str, Init]

    @property
    def size(self) -> int:
        """Number of weights."""
        return sum(weight.size for weight in self.weights.values())

    @property
    def trained(self) -> int:
        """Number of trained weights."""
        return sum(int(mask.sum()) for mask in self.masks.values())


def shapes_of(size: int) -> Iterator[tuple[int, ...]]:
    """Cut `size` weights into square matrices, a smaller matrix and a vector.

    Examples
    --------
    >>> list(shapes_of(8_003_000))
    [(2000, 2000), (2000, 2000), (1, 2000), (1000,)]
    >>> list(shapes_of(7))
    [(7,)]
    """
    yield from [(SIDE, SIDE)] * (size // SIDE**2)
    rows, rest = divmod(size % SIDE**2, SIDE)
    if rows:
        yield rows, SIDE
    if rest:
        yield (rest,)


def make_network(size: int, rate: float) -> Network:
    """Draw a network of `size` weights, of which a share of 1 - `rate` is trained.

    Masks are like those of SNIP: larger weights are more often trained, and rows and columns
    differ in density. Trained weights have moved by about their standard deviation.
    """
    weights, masks, inits = {}, {}, {}
    for number, shape in enumerate(shapes_of(size)):
        name = f"layer{number:03}.weight"
        inits[name] = make_init("normal", SCALE, stream=number)
        weight = np.empty(shape, np.float32)
        fill_raw(
            weight.reshape(-1).view(np.uint32), DType.float32, key=SEED, init=inits[name], start=0
        )
        rng = np.random.default_rng([SEED, number])
        mask = draw_mask(weight, rate, rng)
        weight[mask] += rng.normal(0, SCALE, int(mask.sum())).astype(np.float32)
        weights[name], masks[name] = weight, mask
    return Network(weights, masks, inits)


def draw_mask(weight: NDArray[np.float32], rate: float, rng: np.random.Generator) -> BoolArray:
    """Mark a share of 1 - `rate` of a weight, at least one entry."""
    factor = np.float32(1)
    for axis, length in enumerate(weight.shape):
        form = [1] * weight.ndim
        form[axis] = length
        factor = factor * np.exp(rng.normal(0, SPREAD, length)).astype(np.float32).reshape(form)
    score = (np.abs(weight) * factor).reshape(-1)
    count = max(1, round(weight.size * (1 - rate)))
    mask = np.zeros(weight.size, np.bool_)
    mask[np.argpartition(score, weight.size - count)[weight.size - count :]] = True
    return mask.reshape(weight.shape)


def mask_of(network: Network, rate: str) -> NetworkMask:
    """Return the masks as the index suite takes them."""
    case = Case(f"drawn, {network.size:,}", "drawn", "none", 0, 0.0)
    tensors = []
    for name, mask in network.masks.items():
        positions: Positions = np.flatnonzero(mask).astype(np.uint32)
        tensors.append(TensorMask(name, mask.shape, network.inits[name], positions))
    return NetworkMask(case, SEED, rate, tuple(tensors))
