"""Weight gradients of frozen convolutions at the trained entries alone.

An entry's gradient is the sum of the products of one channel of the output's gradient and one
window of the input. Cutting windows out costs as much whatever the number of output channels, and
the dense product grows with it: of 3x3 convolutions of resnet-18 on CPU at a density of 0.5 % (one
thread, float32, batch 32), 512 channels take 5.6 instead of 12.7 ms and 256 take 6.1 instead of
9.9, but 128 take 10.4 instead of 10.4, 64 take 26 instead of 12, and the second convolution of
lenet5-caffe (20 to 50 channels, 5x5, batch 100) takes 5.2 instead of 1.8. So few channels, and more
than a few trained entries, take the dense product.
"""

import warnings
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from freezepack.nn.overlay import Overlay

LEAST_CHANNELS = 256
"""Output channels from which on cutting out windows is paid back."""
MOST_DENSITY = 1 / 32
"""Share of trained entries up to which it is."""


def pays_for_windows(overlay: Overlay, options: tuple[Any, ...]) -> bool:
    """Return whether the gradient of a convolution's weight is taken entry by entry.

    Parameters
    ----------
    overlay : Overlay
    options : tuple
        Stride, padding, dilation and groups of the convolution.
    """
    few = 0 < len(overlay.positions) <= MOST_DENSITY * overlay.base.numel()
    wide = len(overlay.base) >= LEAST_CHANNELS and options[3] == 1
    return few and wide and overlay.base.device.type == "cpu"


def sample_windows(
    grad: Tensor, images: Tensor, overlay: Overlay, options: tuple[Any, ...]
) -> Tensor:
    """Return the gradient of a convolution's weight at its trained positions.

    Parameters
    ----------
    grad : Tensor, shape (n, out, ...)
        Gradient of the output.
    images : Tensor, shape (n, in, ...)
        Input.
    overlay : Overlay
        Of a weight of shape (out, in, ...), k entries of which are trained.
    options : tuple
        Stride, padding, dilation and groups (1).

    Returns
    -------
    Tensor, shape (k,)
        Of the type of the base; 16-bit arguments are summed in float32.

    Notes
    -----
    The channels with a trained entry are copied once for each place of the kernel, not at once.
    """
    stride, padding, dilation, _ = options
    base = overlay.base
    wide = torch.promote_types(base.dtype, torch.float32)
    left = grad.to(wide).transpose(0, 1).reshape(len(base), -1)
    margins = [margin for margin in reversed(padding) for _ in range(2)]
    padded = F.pad(images.to(wide), margins).transpose(0, 1).contiguous()
    found = torch.zeros(len(overlay.positions), dtype=wide, device=base.device)
    for place, where, channels, pattern in overlay.derived(_places, tuple(base.shape), wide):
        window = padded
        for axis, start in enumerate(place):
            length = (grad.shape[2 + axis] - 1) * stride[axis] + 1
            window = window.narrow(2 + axis, start * dilation[axis], length)
        steps = slice(None), slice(None), *(slice(None, None, step) for step in stride)
        window = window[steps].index_select(0, channels)
        right = window.reshape(len(channels), -1).t()
        sums = torch.sparse.sampled_addmm(pattern, left, right, beta=0.0).values()
        found.index_copy_(0, where, sums)
    return found.to(base.dtype)


def _places(positions: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> list[Any]:
    """Return for each place of the kernel: place, its entries, their channels, a sparse pattern."""
    area = 1
    for size in shape[2:]:
        area *= size
    outs, ins = positions // (shape[1] * area), positions // area % shape[1]
    parts = []
    for number in range(area):
        where = (positions % area == number).nonzero().reshape(-1)
        if len(where) == 0:
            continue
        place = tuple(int(i) for i in torch.unravel_index(torch.tensor(number), shape[2:]))
        channels, columns = torch.unique(ins[where], return_inverse=True)
        pattern = sparse_pattern(outs[where], columns, (shape[0], len(channels)), dtype)
        parts.append((place, where, channels, pattern))
    return parts


def sparse_pattern(
    rows: Tensor, columns: Tensor, shape: tuple[int, int], dtype: torch.dtype
) -> Tensor:
    """Return a sparse matrix with zeros at some entries, given in C order."""
    starts = rows.new_zeros(shape[0] + 1)
    starts[1:] = torch.bincount(rows, minlength=shape[0]).cumsum(0)
    zeros = torch.zeros(len(rows), dtype=dtype, device=rows.device)
    with warnings.catch_warnings():  # that sparse matrices are in a beta state
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(starts, columns, zeros, shape)
