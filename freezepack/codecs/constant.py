"""Value codec `constant`: one value for all; formats/codecs.md, section 8."""

import numpy as np

from freezepack.codecs.base import BaseValues, ValueCodec
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import DType, RawArray


class Constant(ValueCodec):
    """The one element is the codec's parameter; the section is empty.

    Examples
    --------
    >>> CONSTANT.encode(np.zeros(1000, np.uint32), DType.float32, None).hex()
    '00000000'
    """

    id = 2
    name = "constant"

    def parameter_length(self, dtype: DType) -> int:
        """Return the bytes of one element."""
        return dtype.itemsize

    def fixed_length(self, dtype: DType, count: int) -> int | None:
        """Return 0."""
        return 0

    def encode(self, values: RawArray, dtype: DType, base: BaseValues | None) -> bytes | None:
        """Return the bits of the one element, or None if two elements differ in any bit."""
        octets = np.ascontiguousarray(values, dtype.raw).view(np.uint8)
        rows = octets.reshape(values.size, dtype.itemsize)
        return rows[0].tobytes() if (rows == rows[0]).all() else None

    def decode(
        self,
        data: memoryview,
        dtype: DType,
        count: int,
        base: BaseValues | None,
        offset: int,
    ) -> RawArray:
        """Return `count` times the element that `data` holds."""
        if len(data) < dtype.itemsize:
            problem = f"{len(data)} bytes of the constant, expected {dtype.itemsize}"
            raise TruncatedError("values", offset, problem)
        if len(data) > dtype.itemsize:
            problem = f"{len(data) - dtype.itemsize} bytes, expected an empty section"
            raise CorruptError("values", offset, problem)
        return np.repeat(np.frombuffer(data, dtype.raw), count)


CONSTANT = Constant()
