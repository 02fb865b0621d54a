"""What a tensor is before the patch, by ranges of elements."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.base import BaseValues
from freezepack.rebuild.backend import Backend
from freezepack.rebuild.bases import BaseTensors
from freezepack.types import (
    Base,
    Draw,
    DType,
    Init,
    Positions,
    RawArray,
    SeedBase,
    TensorSpec,
    ZerosBase,
)

_ONE = 0x3F800000
_ZEROS = Init(Draw.constant, 0)


@dataclass(frozen=True, slots=True)
class TensorBase:
    """The base of one tensor.

    Attributes
    ----------
    init : Init or None
        How it is drawn; used with a seed only.
    tensors : BaseTensors or None
        Where the elements are, for a base outside the file.
    """

    spec: TensorSpec
    base: Base
    init: Init | None
    backend: Backend
    tensors: BaseTensors | None = None

    def fill(self, out: RawArray, start: int) -> None:
        """Write elements `start` to `start + out.size - 1` into `out`."""
        if isinstance(self.base, ZerosBase):
            out.view(np.uint8).fill(0)
        elif isinstance(self.base, SeedBase):
            self._draw(out, self.spec.dtype, start)
        elif self.tensors is not None:
            out[:] = self.tensors.read(self.spec, start, start + out.size)
        else:
            raise ValueError(f"{self.spec.name!r} has a base outside the file, and no tensors")

    def rebuild(
        self,
        out: RawArray,
        start: int,
        positions: Positions | None = None,
        values: RawArray | None = None,
        *,
        filled: bool = False,
        digest: bool = False,
    ) -> int:
        """Write elements from `start` on into `out` with a patch in place, in one pass.

        Parameters
        ----------
        positions, values : arrays, optional
            What to replace, counted from the first element of `out`.
        filled : bool
            Whether `out` holds these elements of the base already.
        digest : bool
            Sum the digest too; `out` must then be whole tiles, or reach the end of the tensor.

        Returns
        -------
        int
            What these elements add to the digest, modulo 2**64; 0 without `digest`.
        """
        key, init = 0, _ZEROS if isinstance(self.base, ZerosBase) else None
        if not filled:
            if isinstance(self.base, SeedBase):
                key, init = self.base.seed, self.init
            elif init is None:
                self.fill(out, start)
        return self.backend.rebuild(
            out,
            self.spec.dtype,
            key=key,
            init=None if filled else init,
            start=start,
            positions=positions,
            values=values,
            digest=digest,
        )

    def make(self, start: int, size: int) -> RawArray:
        """Return `size` elements from `start`."""
        if isinstance(self.base, ZerosBase):
            return np.zeros(size, self.spec.dtype.raw)
        out = np.empty(size, self.spec.dtype.raw)
        self.fill(out, start)
        return out

    @property
    def has_patterns(self) -> bool:
        """Whether codecs may look at the base: it is zeros or comes from a seed."""
        return isinstance(self.base, ZerosBase | SeedBase)

    def make_patterns(self, start: int, size: int) -> NDArray[np.uint32]:
        """Return float32 patterns of the base before it is narrowed to the element type."""
        if isinstance(self.base, ZerosBase):
            return np.zeros(size, np.uint32)
        out = np.empty(size, np.uint32)
        self._draw(out, DType.float32, start)
        return out

    def make_integers(
        self, start: int, size: int, out: RawArray | None = None
    ) -> NDArray[np.float32]:
        """Return the integers of the draw, as the float32 numbers that hold them exactly."""
        out = np.empty(size, np.uint32) if out is None else out
        # With a factor of 1 the draw gives its integers.
        self._draw(out, DType.float32, start, bits=_ONE)
        return out.view(np.float32)

    @property
    def factor(self) -> np.float32:
        """What the integers of the draw are multiplied by."""
        return self.init.factor if self.init else np.float32(0)

    def values_at(self, start: int, size: int, positions: Positions | None) -> BaseValues:
        """Return the base at some positions of a unit, made when a codec asks for it.

        Parameters
        ----------
        start, size : int
            The unit's place in the tensor.
        positions : uint32 array or None
            Positions in the unit; None for all.
        """
        chosen = slice(None) if positions is None else positions
        return self.describe_values(
            lambda: self.make(start, size)[chosen],
            lambda: self.make_integers(start, size)[chosen].astype(np.int32),
        )

    def describe_values(
        self, bits: Callable[[], RawArray], integers: Callable[[], NDArray[np.int32]]
    ) -> BaseValues:
        """Return what value codecs may know: bits, and integers where the draw has some."""
        init = self.init
        drawn = isinstance(self.base, SeedBase) and init is not None
        if init is None or not drawn or init.draw in (Draw.constant, Draw.sign):
            return BaseValues(bits)
        return BaseValues(bits, integers, init.bits)

    def _draw(self, out: RawArray, dtype: DType, start: int, *, bits: int | None = None) -> None:
        if not isinstance(self.base, SeedBase) or self.init is None:
            raise ValueError(f"{self.spec.name!r} has no draw")
        init = self.init if bits is None else replace(self.init, bits=bits)
        self.backend.fill(out, dtype, key=self.base.seed, init=init, start=start)
