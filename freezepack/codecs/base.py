"""What every codec promises, and the unit it works on.

A codec works on one *unit*: whole rows of a tensor, at most 2**20 positions. It keeps nothing
between calls, leaves its arguments as they were, and trusts no byte: whatever it is given, it
returns a mask or values of the declared count, or raises TruncatedError or CorruptError.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from freezepack.types import DType, Positions, RawArray

MAX_UNIT = 1 << 20
"""Most positions of a unit."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Where a mask or a run of values belongs.

    Attributes
    ----------
    size : int
        Positions in the unit, 1 to 2**20.
    rows, cols, kernel : int
        Matrix form: rows * cols = size; kernel is the area of a convolution, else 1.
    start : int
        Position in its tensor of the first element.
    key : int or None
        Seed from which a mask can be drawn; None where there is none.
    stream : int
        The tensor's stream, 0 to 2**63 - 1. Its seeded mask has stream + 2**63.
    base : callable or None
        Makes the float32 patterns of the base of the whole unit, for codecs that look at them.
    offset : int
        Position in the file of the section, for error messages.
    """

    size: int
    rows: int
    cols: int
    kernel: int
    start: int
    key: int | None = None
    stream: int = 0
    base: Callable[[], NDArray[np.uint32]] | None = None
    offset: int = 0


def vector_unit(size: int, *, offset: int = 0) -> Unit:
    """Return the unit of a whole vector without a base.

    Examples
    --------
    >>> vector_unit(20).cols
    20
    """
    return Unit(size=size, rows=1, cols=size, kernel=1, start=0, offset=offset)


class IndexCodec(Protocol):
    """Codes which positions of a unit are trained. Subclass it to get the defaults."""

    id: int
    name: str
    needs_seed: bool = False
    """True if the mask comes from a seed, so that the record has to name one."""
    adaptive: bool = False
    """True if decoding is one long chain of steps: small, but left out where speed counts. The
    chain may read a shorter or a changed section as other content, which checksums find."""
    canonical: bool = True
    """False if an encoder chooses between several sections for the same content."""
    shared: bool = False
    """True if one section holds index and values of several tensors: the container calls functions
    of the codec's own instead of `encode` and `decode`."""

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return the section's length in bytes, or None where the file has to store it."""
        ...

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return the section, or None if this mask cannot be coded so.

        Parameters
        ----------
        positions : uint32 array
            Trained positions, strictly increasing, all below `unit.size`.
        """
        ...

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the `count` trained positions of a section.

        Raises
        ------
        TruncatedError, CorruptError
            Field "index", if the section breaks a rule of its specification. If the codec is
            canonical, only what `encode` makes of the positions is accepted.
        """
        ...


@dataclass(frozen=True, slots=True)
class BaseValues:
    """The base at the trained positions of a unit, made when a value codec asks for it.

    Attributes
    ----------
    bits : callable
        Returns the bits of the base, a raw array of the tensor's element type.
    integers : callable or None
        Returns the integers k of the draw, int32: the base is float32(k) * factor, before it is
        narrowed. None unless the draw is uniform, normal or truncated normal.
    factor : int
        float32 pattern of the draw's factor; 0 without integers.
    """

    bits: Callable[[], RawArray]
    integers: Callable[[], NDArray[np.int32]] | None = None
    factor: int = 0


class ValueCodec(Protocol):
    """Codes the trained values of a unit. Subclass it to get the defaults.

    Some codecs keep a *parameter* in the tensor's record, once for all its units: what `encode`
    returns then begins with it, and `decode` expects it in front of the section. The container
    moves it, and refuses a codec whose units disagree about it.
    """

    id: int
    name: str
    lossy: bool = False
    adaptive: bool = False
    """True if decoding is one long chain of steps: small, but left out where speed counts. The
    chain may read a shorter or a changed section as other content, which checksums find."""
    canonical: bool = True
    """False if an encoder chooses between several sections for the same content."""

    def parameter_length(self, dtype: DType) -> int:
        """Return how many bytes this codec keeps in the record; 0 for most."""
        return 0

    def fixed_length(self, dtype: DType, count: int) -> int | None:
        """Return the section's length without parameter, or None where the file stores it."""
        ...

    def encode(self, values: RawArray, dtype: DType, base: BaseValues | None) -> bytes | None:
        """Return parameter and section, or None if these values cannot be coded so, or not well.

        Parameters
        ----------
        values : raw array
            Bits of the trained values, in order of position; at least one.
        base : BaseValues or None
            The base at the same positions; None where it is not at hand.
        """
        ...

    def decode(
        self,
        data: memoryview,
        dtype: DType,
        count: int,
        base: BaseValues | None,
        offset: int,
    ) -> RawArray:
        """Return `count` values; the array may be read-only and share memory with `data`.

        Raises
        ------
        TruncatedError, CorruptError
            Field "values", if the section breaks a rule of its specification; `offset` is the
            section's place in the file.
        """
        ...
