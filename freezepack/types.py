"""The data at the centre: element types, draws, tensors and bases. NumPy only.

Tensor content travels as *raw arrays*: one-dimensional arrays in C order of unsigned integers (or
16-byte voids) that hold the bits of the elements, so that NaN payloads and -0.0 survive anything.
"""

import builtins
from dataclasses import dataclass
from enum import IntEnum
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

RawArray = NDArray[Any]
"""One-dimensional, C order, dtype `DType.raw`: the bits of the elements."""
Positions = NDArray[np.uint32]
"""Strictly increasing positions inside one unit (a unit has at most 2**20 positions)."""
BoolArray = NDArray[np.bool_]


class DType(IntEnum):
    """Element types; the numbers are those in a file (formats/ids.toml)."""

    float32 = 1
    float16 = 2
    bfloat16 = 3
    float64 = 4
    float8_e4m3fn = 5
    float8_e5m2 = 6
    int8 = 7
    int16 = 8
    int32 = 9
    int64 = 10
    uint8 = 11
    uint16 = 12
    uint32 = 13
    uint64 = 14
    bool = 15
    complex64 = 16
    complex128 = 17

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return _ITEMSIZE[self]

    @property
    def raw(self) -> "np.dtype[Any]":
        """NumPy dtype that holds the bits: uint8 to uint64, or a 16-byte void."""
        return _RAW[self.itemsize]

    @property
    def is_floating(self) -> builtins.bool:
        """True for the types that a seeded base can have: float32, float16, bfloat16, float64."""
        return self <= DType.float64


_ITEMSIZE = {
    DType.float32: 4,
    DType.float16: 2,
    DType.bfloat16: 2,
    DType.float64: 8,
    DType.float8_e4m3fn: 1,
    DType.float8_e5m2: 1,
    DType.int8: 1,
    DType.int16: 2,
    DType.int32: 4,
    DType.int64: 8,
    DType.uint8: 1,
    DType.uint16: 2,
    DType.uint32: 4,
    DType.uint64: 8,
    DType.bool: 1,
    DType.complex64: 8,
    DType.complex128: 16,
}
_RAW: dict[int, np.dtype[Any]] = {
    1: np.dtype("<u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
    8: np.dtype("<u8"),
    16: np.dtype("V16"),
}


class Draw(IntEnum):
    """How words of the generator become values; the numbers are those in a file."""

    constant = 0
    uniform = 1
    normal = 2
    truncated_normal = 3
    sign = 4


@dataclass(frozen=True, slots=True)
class Init:
    """How a seeded base is drawn: everything but the key.

    Attributes
    ----------
    draw : Draw
        The distribution.
    bits : int
        float32 pattern of the one factor: the *multiplier* s of uniform (a * 2**-24), normal and
        truncated normal (sigma * 2**-21); the value c itself for sign and constant.
    tail : int
        Truncated normal only: round(2**32 * P(abs(z) > cut)), 1 to 2**32 - 1. Else 0.
    stream : int
        The tensor's own sequence of words, 0 to 2**63 - 1.
    """

    draw: Draw
    bits: int
    tail: int = 0
    stream: int = 0

    @property
    def factor(self) -> np.float32:
        """The float32 whose pattern is `bits`."""
        factor: np.float32 = np.array([self.bits], np.uint32).view(np.float32)[0]
        return factor


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape and element type of a tensor."""

    name: str
    shape: tuple[int, ...]
    dtype: DType

    @property
    def size(self) -> int:
        """Number of elements; 1 for a scalar."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the rebuilt tensor."""
        return self.size * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class ZerosBase:
    """Base 0: what is not trained is 0."""


@dataclass(frozen=True, slots=True)
class SeedBase:
    """Base regenerated from a 64-bit seed, the key of Philox4x32-10."""

    seed: int


@dataclass(frozen=True, slots=True)
class FileBase:
    """Base taken from the tensors of a checkpoint, found by their content digest."""

    digest: int
    hint: str = ""


@dataclass(frozen=True, slots=True)
class PackBase:
    """Base taken from the rebuilt tensors of an earlier pack, found by their content digest."""

    digest: int
    hint: str = ""


Base = ZerosBase | SeedBase | FileBase | PackBase
