"""Bits are compared, not values."""

import numpy as np

from freezepack.pack.patch import bits_differ
from freezepack.types import DType


def test_nan_equals_itself_and_minus_zero_differs_from_zero() -> None:
    a = np.array([np.nan, 0.0, 1.0], np.float32).view(np.uint32)
    b = np.array([np.nan, -0.0, 1.0], np.float32).view(np.uint32)
    assert bits_differ(a, b).tolist() == [False, True, False]


def test_sixteen_byte_elements_differ_in_either_half() -> None:
    a = np.zeros(3, DType.complex128.raw)
    b = a.copy()
    b.view(np.uint8)[[15, 16]] = 1
    assert bits_differ(a, b).tolist() == [True, True, False]
