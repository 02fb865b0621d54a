"""Bits of floating-point elements as numbers."""

import numpy as np
from numpy.typing import NDArray

from freezepack.types import DType, RawArray


def to_numbers(raw: RawArray, dtype: DType) -> NDArray[np.float64]:
    """Return float32, float16, bfloat16 or float64 elements as float64, exactly.

    Examples
    --------
    >>> to_numbers(np.array([0x3F80, 0xC000], np.uint16), DType.bfloat16).tolist()
    [1.0, -2.0]
    """
    if dtype == DType.bfloat16:
        raw = raw.astype(np.uint32) << np.uint32(16)
        dtype = DType.float32
    numbers: NDArray[np.float64] = raw.view(dtype.name).astype(np.float64)
    return numbers
