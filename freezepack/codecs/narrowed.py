"""Value codecs `bf16` and `fp16`: float32 rounded to 16 bits; formats/grid.md, section 6."""

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.base import BaseValues, ValueCodec
from freezepack.codecs.floats.codec import FLOAT
from freezepack.errors import CorruptError
from freezepack.random.narrow import narrow
from freezepack.types import DType, RawArray


class Narrowed(ValueCodec):
    """Finite float32 values, rounded to nearest even, then coded as `float` codes that type.

    Examples
    --------
    >>> third = np.array([1 / 3], np.float32).view(np.uint32)
    >>> section = BF16.encode(third, DType.float32, None)
    >>> BF16.decode(memoryview(section), DType.float32, 1, None, 0).view(np.float32)
    array([0.33398438], dtype=float32)
    """

    lossy = True
    adaptive = True

    def __init__(self, number: int, name: str, narrow_type: DType) -> None:
        self.id = number
        self.name = name
        self._type = narrow_type

    def fixed_length(self, dtype: DType, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, values: RawArray, dtype: DType, base: BaseValues | None) -> bytes | None:
        """Return the section of the rounded values, or None if one has no finite neighbour."""
        if dtype != DType.float32 or (values & 0x7F800000 == 0x7F800000).any():
            return None
        rounded = narrow(values, self._type)
        if not self._all_finite(rounded):
            return None
        return FLOAT.encode(rounded, self._type, None)

    def decode(
        self,
        data: memoryview,
        dtype: DType,
        count: int,
        base: BaseValues | None,
        offset: int,
    ) -> RawArray:
        """Return the values, widened exactly."""
        if dtype != DType.float32:
            problem = f"values of {dtype.name} as {self.name}, expected float32"
            raise CorruptError("values", offset, problem)
        rounded = FLOAT.decode(data, self._type, count, None, offset)
        if not self._all_finite(rounded):
            raise CorruptError("values", offset, f"a {self.name} value is not finite")
        return self._widen(rounded)

    def _all_finite(self, rounded: RawArray) -> bool:
        exponent = narrow(np.array([0x7F800000], np.uint32), self._type)[0]
        return not (rounded & exponent == exponent).any()

    def _widen(self, rounded: RawArray) -> NDArray[np.uint32]:
        if self._type == DType.bfloat16:
            wide: NDArray[np.uint32] = rounded.astype(np.uint32) << np.uint32(16)
            return wide
        return rounded.view(np.float16).astype(np.float32).view(np.uint32)


BF16 = Narrowed(5, "bf16", DType.bfloat16)
FP16 = Narrowed(6, "fp16", DType.float16)
