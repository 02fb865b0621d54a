"""What index codecs share that predict a mask from |base|: checks, and calls of the C++ kernel."""

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack import native
from freezepack.codecs.base import IndexCodec, Unit
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import Positions

Base = NDArray[np.uint32]
"""float32 patterns of a unit's base."""
_POINTER = ctypes.c_void_p
_MATRIX = (_POINTER, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32)
_PROBLEMS = {
    -2: "the stream holds too few positions",
    -3: "the stream is not as its encoder ends it",
}


@dataclass(frozen=True, slots=True)
class Matrix:
    """A unit of `rows` times `columns` positions, of which `trained` >= 1 are trained."""

    rows: int
    columns: int
    kernel: int
    trained: int


class Predicted(IndexCodec):
    """Positions of a section that begins with a preset, which an encoder chooses.

    Subclasses say how long it is, and decode what has passed the checks.
    """

    adaptive = True
    canonical = False
    preset_length: int

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the trained positions."""
        if unit.base is None:
            raise CorruptError("index", unit.offset, "this tensor has no base to predict from")
        if not 0 < count <= unit.size:
            problem = f"{count} trained positions in a unit of {unit.size}"
            raise CorruptError("index", unit.offset, problem)
        if len(data) < self.preset_length:
            problem = f"{len(data)} bytes left, expected a preset of {self.preset_length}"
            raise TruncatedError("index", unit.offset, problem)
        try:
            return self.decode_section(read_base(unit.base()), bytes(data), count, unit)
        except ValueError as error:
            raise CorruptError("index", unit.offset, str(error)) from None

    def decode_section(self, base: Base, data: bytes, count: int, unit: Unit) -> Positions:
        """Return the trained positions; a broken rule is a ValueError."""
        raise NotImplementedError


def read_base(base: Base) -> Base:
    """Return the patterns as the kernel reads them."""
    return np.ascontiguousarray(base, np.uint32)


class Kernel:
    """The C++ functions fpk_NAME_encode and fpk_NAME_decode."""

    def __init__(self, name: str, preset_length: int) -> None:
        self._name = name
        self._preset = (ctypes.c_uint32,) * preset_length

    def encoder(self) -> Any:
        """Return the C function, or None where the reference has to do."""
        arguments = (*_MATRIX, _POINTER, ctypes.c_uint32, *self._preset, _POINTER, ctypes.c_uint64)
        name = f"fpk_{self._name}_encode"
        return native.function(name, *arguments, restype=ctypes.c_int64)

    def decoder(self) -> Any:
        """Return the C function, or None where the reference has to do."""
        arguments = (_POINTER, ctypes.c_uint64, *_MATRIX, ctypes.c_uint32, _POINTER)
        name = f"fpk_{self._name}_decode"
        return native.function(name, *arguments, restype=ctypes.c_int64)

    def encode(self, base: Base, matrix: Matrix, positions: Positions, preset: bytes) -> bytes:
        """Return the section; see the codec's `reference.encode`."""
        # At most two decisions for each position, of at most 16 bits and 2 bytes of rounding.
        out = np.empty(8 * base.size + 16, np.uint8)
        length = self.encoder()(
            *_describe(base, matrix),
            positions.ctypes.data,
            matrix.trained,
            *preset,
            out.ctypes.data,
            out.size,
        )
        if length < 0:
            raise MemoryError(f"no memory to code an index of {base.size} positions")
        return out[:length].tobytes()

    def decode(self, base: Base, matrix: Matrix, data: bytes) -> Positions:
        """Return the positions; see the codec's `reference.decode`."""
        positions = np.empty(matrix.trained, np.uint32)
        status = self.decoder()(
            data, len(data), *_describe(base, matrix), matrix.trained, positions.ctypes.data
        )
        if status in _PROBLEMS:
            raise ValueError(_PROBLEMS[status])
        if status:
            raise MemoryError(f"no memory to decode an index of {base.size} positions")
        return positions


def _describe(base: Base, matrix: Matrix) -> tuple[int, ...]:
    return base.ctypes.data, matrix.rows, matrix.columns, matrix.kernel
