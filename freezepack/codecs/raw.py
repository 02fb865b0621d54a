"""Value codec `raw`: the bits as they are; formats/codecs.md, section 6."""

import numpy as np

from freezepack.codecs.base import BaseValues, ValueCodec
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import DType, RawArray


class Raw(ValueCodec):
    """Little-endian elements, one after the other.

    Examples
    --------
    >>> RAW.encode(np.array([1, 0x0203], np.uint16), DType.bfloat16, None).hex()
    '01000302'
    """

    id = 0
    name = "raw"

    def fixed_length(self, dtype: DType, count: int) -> int | None:
        """Return the bytes of `count` elements."""
        return count * dtype.itemsize

    def encode(self, values: RawArray, dtype: DType, base: BaseValues | None) -> bytes | None:
        """Return the bits."""
        return values.astype(dtype.raw, copy=False).tobytes()

    def decode(
        self,
        data: memoryview,
        dtype: DType,
        count: int,
        base: BaseValues | None,
        offset: int,
    ) -> RawArray:
        """Return the elements, without a copy where they are aligned."""
        need = count * dtype.itemsize
        if len(data) < need:
            problem = f"{len(data)} bytes left, expected {need} for {count} values"
            raise TruncatedError("values", offset, problem)
        if len(data) > need:
            problem = f"{len(data) - need} bytes after {count} values"
            raise CorruptError("values", offset + need, problem)
        values = np.frombuffer(data, dtype.raw, count)
        return values if values.flags.aligned else values.copy()


RAW = Raw()
