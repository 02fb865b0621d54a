"""What golden files are put together from."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from freezepack.format.writer import EncodedPack
from freezepack.random import smallest_words
from freezepack.types import Draw, DType, Init, RawArray, SeedBase, TensorSpec, ZerosBase
from vector_writer.runs import fill_runs
from vector_writer.tensors import Golden

SEED = SeedBase(0x0123456789ABCDEF)
ONE = SeedBase(1)
SCALE = 0x3223D70A
TAIL = 195_422_145
NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class File:
    """One golden file.

    Attributes
    ----------
    given : str
        The vector whose tensors are its base.
    coded : bool
        Whether its header is coded.
    """

    name: str
    about: str
    tensors: list[Golden]
    aliases: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    partial: bool = False
    given: str = ""
    coded: bool = False

    def pack(self) -> EncodedPack:
        """Return the file, ready to be written."""
        tensors = sorted(self.tensors, key=lambda tensor: tensor.spec.name.encode())
        encoded = fill_runs(tensors, [tensor.encode() for tensor in tensors])
        return EncodedPack(encoded, self.aliases, self.metadata, self.partial, self.coded)


def rng() -> np.random.Generator:
    """Return a new generator of contents; what it gives is kept in the vectors."""
    return np.random.default_rng(20_240)


def pick(generator: np.random.Generator, size: int, count: int) -> NDArray[np.int64]:
    """Return `count` increasing positions below `size`."""
    return np.sort(generator.choice(size, count, replace=False)).astype(np.int64)


def words(count: int) -> RawArray:
    """Return float32 patterns of trained values, like those that training leaves."""
    return (rng().normal(size=count) * 0.05).astype(np.float32).view(np.uint32)


def drawn(
    name: str,
    shape: tuple[int, ...],
    init: Init,
    positions: NDArray[np.int64],
    *,
    index: str = "bitmap",
    coding: str = "raw",
) -> Golden:
    """Return a float32 tensor over a seeded base."""
    spec = TensorSpec(name, shape, DType.float32)
    return Golden(spec, SEED, init, positions, words(positions.size), index, coding)


def seeded_mask(
    name: str, shape: tuple[int, ...], count: int, base: ZerosBase | SeedBase, stream: int
) -> Golden:
    """Return a tensor with zeros where a seed says."""
    spec = TensorSpec(name, shape, DType.float32)
    mask = smallest_words(ONE.seed, stream + 2**63, 0, spec.size, count).astype(np.int64)
    values = np.zeros(count, np.uint32)
    init = Init(Draw.sign, 0x3D4CCCCD, 0, stream)
    return Golden(spec, base, init, mask, values, "seeded", "constant", ONE)
