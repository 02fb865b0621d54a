"""The value codecs `raw` and `constant`."""

import numpy as np
import pytest

from freezepack.codecs.constant import CONSTANT
from freezepack.codecs.raw import RAW
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import DType


def test_raw_is_little_endian() -> None:
    values = np.array([1, 0x80000002], np.uint32)
    assert RAW.encode(values, DType.float32, None) == bytes.fromhex("01000000 02000080")
    assert RAW.fixed_length(DType.float32, 2) == 8
    assert RAW.parameter_length(DType.float32) == 0


def test_raw_reads_aligned_arrays_from_any_place() -> None:
    data = memoryview(b"?" + np.arange(3, dtype="<u8").tobytes())[1:]
    read = RAW.decode(data, DType.int64, 3, None, 0)
    assert read.tolist() == [0, 1, 2]
    assert read.flags.aligned


def test_raw_errors_name_place_and_expectation() -> None:
    data = memoryview(bytes(9))
    with pytest.raises(TruncatedError, match="values at byte 64: 7 bytes left, expected 8 for 2"):
        RAW.decode(data[:7], DType.float32, 2, None, 64)
    with pytest.raises(CorruptError, match="values at byte 72: 1 bytes after 2 values"):
        RAW.decode(data, DType.float32, 2, None, 64)


def test_constant_keeps_one_element_as_parameter() -> None:
    values = np.full(1000, 0x80000000, np.uint32)
    assert CONSTANT.encode(values, DType.float32, None) == bytes.fromhex("00000080")
    assert CONSTANT.parameter_length(DType.float32) == 4
    assert CONSTANT.fixed_length(DType.float32, 1000) == 0


@pytest.mark.parametrize("dtype", list(DType))
def test_one_differing_bit_is_not_constant(dtype: DType) -> None:
    octets = np.zeros((3, dtype.itemsize), np.uint8)
    same = octets.reshape(-1).view(dtype.raw)
    assert CONSTANT.encode(same, dtype, None) == bytes(dtype.itemsize)
    octets[1, -1] = 0x80
    assert CONSTANT.encode(octets.reshape(-1).view(dtype.raw), dtype, None) is None


def test_constant_errors_name_place_and_expectation() -> None:
    with pytest.raises(TruncatedError, match="values at byte 64: 3 bytes of the constant"):
        CONSTANT.decode(memoryview(bytes(3)), DType.float32, 2, None, 64)
    with pytest.raises(CorruptError, match="values at byte 64: 1 bytes, expected an empty section"):
        CONSTANT.decode(memoryview(bytes(5)), DType.float32, 2, None, 64)
