"""torch tensors as bits: element types and raw views, without a copy."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from freezepack.types import DType, RawArray

_TORCH: dict[DType, torch.dtype] = {dtype: getattr(torch, dtype.name) for dtype in DType}
_DTYPES = {value: key for key, value in _TORCH.items()}
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def dtype_of(tensor: Tensor) -> DType:
    """Return the element type of a tensor as the format knows it.

    Raises
    ------
    TypeError
        If the format has no such element type (quantised and sub-byte types).

    Examples
    --------
    >>> dtype_of(torch.zeros(2, dtype=torch.bfloat16)).name
    'bfloat16'
    """
    if tensor.dtype not in _DTYPES:
        raise TypeError(f"tensors of type {tensor.dtype} cannot be stored")
    return _DTYPES[tensor.dtype]


def torch_dtype(dtype: DType) -> torch.dtype:
    """Return torch's element type.

    Examples
    --------
    >>> torch_dtype(DType.float16)
    torch.float16
    """
    return _TORCH[dtype]


def raw_view(tensor: Tensor) -> RawArray:
    """View a contiguous CPU tensor as raw bits; writing to the view writes to the tensor.

    Returns
    -------
    uint8, uint16, uint32, uint64 or 16-byte void array, shape (n,)
        In C order.

    Raises
    ------
    ValueError
        If the tensor is not contiguous or not in CPU memory.

    Examples
    --------
    >>> [hex(bits) for bits in raw_view(torch.tensor([1.0, -0.0]))]
    ['0x3f800000', '0x80000000']
    """
    if tensor.device.type != "cpu" or not tensor.is_contiguous():
        raise ValueError("a raw view needs a contiguous tensor in CPU memory")
    dtype = dtype_of(tensor)
    flat = tensor.detach().reshape(-1)
    if tensor.is_complex():
        flat = torch.view_as_real(flat).reshape(-1)
    bits: RawArray = flat.view(_BITS[min(dtype.itemsize, flat.element_size())]).numpy()
    return bits.view(dtype.raw)


def raw_copy(tensor: Tensor) -> RawArray:
    """Return the bits of any tensor, in C order: a view where that is possible, else a copy.

    Examples
    --------
    >>> raw_copy(torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).T).tolist()
    [1, 3, 2, 4]
    """
    return raw_view(tensor.detach().cpu().contiguous().resolve_conj().resolve_neg())


def from_raw(raw: RawArray, dtype: DType, shape: tuple[int, ...]) -> Tensor:
    """Make a tensor of raw bits; the tensor owns its memory.

    Examples
    --------
    >>> from_raw(np.array([0x3F800000], np.uint32), DType.float32, ())
    tensor(1.)
    """
    tensor = torch.empty(shape, dtype=torch_dtype(dtype))
    np.copyto(raw_view(tensor), raw)
    return tensor


def wrap_raw(raw: RawArray, dtype: DType, shape: tuple[int, ...]) -> Tensor:
    """See raw bits as a tensor of the same memory, without a copy.

    Parameters
    ----------
    raw : raw array
        Contiguous and writeable; the tensor keeps it alive. Writing to one writes to the other.

    Examples
    --------
    >>> raw = np.array([0x3F800000], np.uint32)
    >>> wrap_raw(raw, DType.float32, (1, 1)).mul_(-1.0), hex(raw[0])
    (tensor([[-1.]]), '0xbf800000')
    """
    part = torch_dtype(dtype).to_real() if dtype.name.startswith("complex") else torch_dtype(dtype)
    bits = torch.from_numpy(raw.view(f"i{part.itemsize}")).view(part)
    if part != torch_dtype(dtype):
        bits = torch.view_as_complex(bits.reshape(-1, 2))
    return bits.reshape(shape)


def split_overlapping(tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Split contiguous tensors into groups, in each of which no two share memory.

    Returns
    -------
    list of dict of name to Tensor
        One group, and one more for each tensor that begins inside another.

    Examples
    --------
    >>> flat = torch.zeros(5)
    >>> tensors = {"flat": flat, "part": flat[2:], "other": torch.zeros(3)}
    >>> sorted(sorted(group) for group in split_overlapping(tensors))
    [['flat', 'other'], ['part']]
    """
    apart: dict[str, Tensor] = {}
    others: list[dict[str, Tensor]] = []
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_ptr()):
        if tensor.data_ptr() < end:
            others.append({name: tensor})
        else:
            apart[name] = tensor
        end = max(end, tensor.data_ptr() + tensor.numel() * tensor.element_size())
    return [apart, *others]
