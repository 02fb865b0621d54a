"""Raw views hold exactly the bits of a tensor."""

import math

import numpy as np
import pytest
import torch

from freezepack.nn.raw import dtype_of, from_raw, raw_copy, raw_view, torch_dtype, wrap_raw
from freezepack.types import DType


@pytest.mark.parametrize("dtype", list(DType), ids=lambda dtype: dtype.name)
def test_every_element_type_goes_to_raw_bits_and_back(dtype: DType) -> None:
    content = np.arange(6 * dtype.itemsize, dtype=np.uint8) % 2
    tensor = from_raw(content.view(dtype.raw), dtype, (2, 3))
    assert tensor.dtype == torch_dtype(dtype)
    assert dtype_of(tensor) == dtype
    raw = raw_view(tensor)
    assert raw.dtype == dtype.raw
    assert raw.tobytes() == content.tobytes()


@pytest.mark.parametrize("dtype", list(DType), ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("shape", [(2, 3), (), (4, 0)])
def test_bits_are_wrapped_without_a_copy(dtype: DType, shape: tuple[int, ...]) -> None:
    size = math.prod(shape)
    content = (np.arange(size * dtype.itemsize) % 2).astype(np.uint8)
    tensor = wrap_raw(content.view(dtype.raw), dtype, shape)
    assert (tensor.dtype, tuple(tensor.shape)) == (torch_dtype(dtype), shape)
    assert raw_view(tensor).tobytes() == content.tobytes()
    if size:
        raw_view(tensor).view(np.uint8)[0] = 1
        assert content[0] == 1


def test_nan_payloads_and_negative_zero_survive() -> None:
    bits = np.array([0x7FA00001, 0xFFC12345, 0x80000000], np.uint32)
    assert raw_view(from_raw(bits, DType.float32, (3,))).tolist() == bits.tolist()


def test_writing_to_the_view_writes_to_the_tensor() -> None:
    tensor = torch.zeros(2)
    raw_view(tensor)[1] = 0x3F800000
    assert tensor.tolist() == [0.0, 1.0]


def test_scalars_and_empty_tensors_have_raw_views() -> None:
    assert raw_view(torch.tensor(1.0)).tolist() == [0x3F800000]
    assert raw_view(torch.zeros(3, 0)).shape == (0,)


def test_a_copy_is_in_c_order_whatever_the_layout() -> None:
    tensor = torch.arange(6, dtype=torch.uint8).reshape(2, 3).T
    assert raw_copy(tensor).tolist() == [0, 3, 1, 4, 2, 5]
    conjugate = torch.tensor([1 + 2j]).conj()
    assert raw_copy(conjugate).tobytes() == np.array([1 - 2j], np.complex64).tobytes()


def test_a_view_of_a_strided_tensor_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous tensor in CPU memory"):
        raw_view(torch.zeros(2, 3).T)


def test_an_unknown_element_type_is_named() -> None:
    with pytest.raises(TypeError, match="float8_e4m3fnuz cannot be stored"):
        dtype_of(torch.zeros(1, dtype=torch.float8_e4m3fnuz))


def test_lazily_conjugated_and_negated_tensors_are_copied_as_what_they_read() -> None:
    z = torch.tensor([[1 + 2j, 3 - 4j]])
    assert raw_copy(z.conj()).tobytes() == np.array([1 - 2j, 3 + 4j], np.complex64).tobytes()
    assert raw_copy(z.mH).tobytes() == np.array([1 - 2j, 3 + 4j], np.complex64).tobytes()
    assert raw_copy(z.conj().imag).view(np.float32).tolist() == [-2.0, 4.0]
