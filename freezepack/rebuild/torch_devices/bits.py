"""Tensors of a device seen as their bits."""

import torch
from torch import Tensor

from freezepack.random.tiles import TILE
from freezepack.types import DType, TensorSpec

_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64, 16: torch.int64}


def torch_type(dtype: DType) -> torch.dtype:
    """Return torch's element type.

    Examples
    --------
    >>> torch_type(DType.bfloat16)
    torch.bfloat16
    """
    found: torch.dtype = getattr(torch, dtype.name)
    return found


def bits_type(dtype: DType) -> torch.dtype:
    """Return the integers that hold the bits of an element, or half of them for 16 bytes.

    Examples
    --------
    >>> bits_type(DType.bfloat16), bits_type(DType.complex128)
    (torch.int16, torch.int64)
    """
    return _BITS[dtype.itemsize]


def empty_tensor(spec: TensorSpec, device: torch.device) -> Tensor:
    """Return a tensor of the shape and type of `spec`, with any content."""
    return torch.empty(spec.shape, dtype=torch_type(spec.dtype), device=device)


def bits_of(tensor: Tensor, dtype: DType) -> Tensor:
    """See a contiguous tensor as its bits, in C order; writing to one writes to the other.

    Examples
    --------
    >>> bits_of(torch.tensor([[1.0, 2.0]], dtype=torch.float16), DType.float16).tolist()
    [15360, 16384]
    """
    flat = tensor.detach().view(-1)
    if tensor.is_complex():
        flat = torch.view_as_real(flat).view(-1)
    return flat.view(bits_type(dtype))


def count_tiles(bits: Tensor) -> int:
    """Return how many tiles of the digest a tensor has."""
    return -(-bits.numel() * bits.element_size() // TILE)


def signed(value: int, width: int) -> int:
    """Return an unsigned integer of `width` bits as the signed one of the same bits.

    Examples
    --------
    >>> signed(2**32 - 1, 32), signed(5, 32)
    (-1, 5)
    """
    return value - (1 << width) if value >> width - 1 else value


def halves(value: int) -> tuple[int, int]:
    """Return the low and the high 32 bits of a u64, each as a signed integer.

    Examples
    --------
    >>> halves(2**63 + 1)
    (1, -2147483648)
    """
    return signed(value & 0xFFFFFFFF, 32), signed(value >> 32, 32)
