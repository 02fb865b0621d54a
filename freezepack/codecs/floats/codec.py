"""Value codec `float` as the container calls it: native where there is a kernel."""

import numpy as np

from freezepack.codecs.base import BaseValues, ValueCodec
from freezepack.codecs.floats import kernel, reference
from freezepack.codecs.floats.head import Head, read_head, write_head
from freezepack.codecs.floats.parts import KINDS, Kind
from freezepack.codecs.floats.plan import plan
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import DType, RawArray


class Float(ValueCodec):
    """Sign, exponent and top fraction bit modelled, the rest as it is; lossless.

    Examples
    --------
    >>> values = np.array([1.0, -0.3, 0.0], np.float32).view(np.uint32)
    >>> section = FLOAT.encode(values, DType.float32, None)
    >>> section.hex()
    '96017f000080666606c405'
    >>> FLOAT.decode(memoryview(section), DType.float32, 3, None, 0).view(np.float32)
    array([ 1. , -0.3,  0. ], dtype=float32)
    """

    id = 3
    name = "float"
    adaptive = True
    canonical = False

    def fixed_length(self, dtype: DType, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, values: RawArray, dtype: DType, base: BaseValues | None) -> bytes | None:
        """Return the smallest section, or None if the values are not floating-point numbers."""
        kind = KINDS.get(dtype)
        if kind is None or not values.size:
            return None
        own = np.ascontiguousarray(values, dtype.raw)
        other = _patterns(base, dtype, own.size)
        section = _encode(own, other, kind, near=False)
        if not other.any():
            return section
        return min(section, _encode(own, other, kind, near=True), key=len)

    def decode(
        self,
        data: memoryview,
        dtype: DType,
        count: int,
        base: BaseValues | None,
        offset: int,
    ) -> RawArray:
        """Return the values."""
        kind = KINDS.get(dtype)
        if kind is None:
            raise CorruptError("values", offset, f"values of {dtype.name}, expected a float type")
        section = bytes(data)
        try:
            head, start = read_head(section, kind, count)
        except EOFError as error:
            raise TruncatedError("values", offset, str(error)) from None
        except ValueError as error:
            raise CorruptError("values", offset, str(error)) from None
        need = start + reference.raw_length(head, count)
        if len(section) < need:
            problem = f"{len(section)} bytes left, expected at least {need} for {count} values"
            raise TruncatedError("values", offset, problem)
        try:
            return _decode(section[start:], _patterns(base, dtype, count), head)
        except ValueError as error:
            raise CorruptError("values", offset + start, str(error)) from None


def _patterns(base: BaseValues | None, dtype: DType, count: int) -> RawArray:
    """Return the bits of the base; zeros where there is none."""
    if base is None:
        return np.zeros(count, dtype.raw)
    return np.ascontiguousarray(base.bits(), dtype.raw)


def _encode(values: RawArray, base: RawArray, kind: Kind, *, near: bool) -> bytes:
    head = plan(values, base, kind, near=near)
    code = kernel.encode if kernel.encoder() else reference.encode
    return write_head(head, values.size) + code(values, base, head)


def _decode(body: bytes, base: RawArray, head: Head) -> RawArray:
    code = kernel.decode if kernel.decoder() else reference.decode
    return code(body, base, head)


FLOAT = Float()
