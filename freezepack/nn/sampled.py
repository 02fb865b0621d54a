"""Weight gradients of frozen layers, computed where something is trained and nowhere else.

The gradient of a weight is a sum of products over the batch, one for each entry. Where few entries
are trained, taking those sums alone costs less than the product of two matrices. A layer that does
so needs no copy of its dense weight either.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freezepack.nn.overlay import Overlay
from freezepack.nn.sampled_windows import pays_for_windows, sample_windows, sparse_pattern

MOST_DENSITY = 1 / 8
"""Share of trained entries up to which sums of their own are faster than a product of matrices."""
LEAST_WEIGHTS = 1 << 13
"""Entries of a weight below which the product of matrices is always faster."""


def save_work(module: nn.Module, overlay: Overlay) -> None:
    """Let a frozen `torch.nn.Linear` or convolution compute only what its trained entries need.

    Parameters
    ----------
    module : torch.nn.Module
        Its weight is under `overlay`. Any other module, and a subclass with a forward pass of its
        own, is left as it is.
    overlay : Overlay
        A supermask is left as it is, too.
    """
    own: Any = type(module)
    if type(overlay) is not Overlay:
        return
    # the class that a parametrization makes belongs to this module alone
    if own.__bases__ == (nn.Linear,):
        own.forward = _linear
    elif own.__bases__ in ((nn.Conv1d,), (nn.Conv2d,), (nn.Conv3d,)):
        own.forward = _convolve


def sample_products(grad: Tensor, rows: Tensor, overlay: Overlay) -> Tensor:
    """Return the entries of ``grad.T @ rows`` at the trained positions.

    Parameters
    ----------
    grad : Tensor, shape (n, out)
        Gradient of the output.
    rows : Tensor, shape (n, in)
        Input.
    overlay : Overlay
        Of a weight of shape (out, in), k entries of which are trained.

    Returns
    -------
    Tensor, shape (k,)
        Of the type of `overlay.base`; 16-bit arguments are summed in float32.

    Notes
    -----
    k * n products, and copies of both arguments with the batch last, so that what belongs to one
    entry is contiguous. The order of each sum is fixed, whatever the number of threads.
    """
    shape, dtype = tuple(overlay.base.shape), overlay.base.dtype
    wide = torch.promote_types(dtype, torch.float32)
    if not (len(grad) and len(overlay.positions) <= MOST_DENSITY * overlay.base.numel()):
        product = grad.to(wide).t() @ rows.to(wide)
        return product.reshape(-1).index_select(0, overlay.positions).to(dtype)
    pattern = overlay.derived(_pattern, *shape, wide)
    left, right = grad.to(wide).t(), rows.to(wide)
    sums: Tensor = torch.sparse.sampled_addmm(pattern, left, right, beta=0.0).values()
    return sums.to(dtype)


def _pattern(positions: Tensor, height: int, width: int, dtype: torch.dtype) -> Tensor:
    """Return a sparse matrix with zeros at the positions."""
    return sparse_pattern(positions // width, positions % width, (height, width), dtype)


def _is_sampled(overlay: Overlay) -> bool:
    size = overlay.base.numel()
    few = 0 < len(overlay.positions) <= MOST_DENSITY * size
    return few and size >= LEAST_WEIGHTS and overlay.base.device.type == "cpu"


def _linear(self: Any, input: Tensor) -> Tensor:
    """Return what `torch.nn.Linear` does."""
    chain = self.parametrizations["weight"]
    if not _is_plain(chain, input):
        return nn.Linear.forward(self, input)
    weight = _constant_weight(chain)
    if weight is not None:
        return F.linear(input, weight, self.bias)
    output: Tensor = _Product.apply(input, chain.original, self.bias, chain[0])  # type: ignore[no-untyped-call]
    return output


def _is_plain(chain: Any, input: Tensor) -> bool:
    """Whether the weight is the overlay's alone, and all are tensors such as torch makes."""
    if torch.compiler.is_compiling() or torch._C._is_tracing() or len(chain) != 1:
        return False
    values, base = chain.original, chain[0].base
    floating = input.is_floating_point() and base.is_floating_point()
    kinds = {type(input), type(values), type(base)}
    return floating and kinds <= {Tensor, nn.Parameter} and not base.is_inference()


def _constant_weight(chain: Any) -> Tensor | None:
    """Return the dense weight if it needs no gradient, without a copy where none is needed."""
    values: Tensor = chain.original
    overlay: Overlay = chain[0]
    if not torch.is_grad_enabled():
        return overlay.write(values)
    if len(values) == 0:
        return overlay.base
    return None if values.requires_grad else overlay.rebuild(values)


def _narrowed(dense: Tensor, input: Tensor) -> tuple[Tensor, Tensor]:
    """Return weight and input in the type of mixed precision, as they are without it."""
    kind = input.device.type
    if not torch.is_autocast_enabled(kind) or torch.float64 in (dense.dtype, input.dtype):
        return dense, input
    dtype = torch.get_autocast_dtype(kind)
    return dense.to(dtype), input.to(dtype)


class _Product(torch.autograd.Function):
    """Input times dense weight; the gradient of the weight is taken at the trained positions."""

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        values: Tensor,
        bias: Tensor | None,
        overlay: Overlay,
    ) -> Tensor:
        base = overlay.write(values)
        dense, narrow = _narrowed(base, input)
        ctx.save_for_backward(input, values.clone())  # who changes the values changes no graph
        ctx.values, ctx.version = values, values._version
        ctx.overlay, ctx.bias = overlay, bias is not None and bias.dtype
        ctx.dense = None if dense is base else dense
        return F.linear(narrow, dense, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, Any, None]:
        (grad,), (input, values), overlay = grads, ctx.saved_tensors, ctx.overlay
        above = found = offset = None
        again = torch.is_grad_enabled()  # the gradient is to be differentiated
        if ctx.needs_input_grad[0]:
            dense = _again(ctx).to(grad.dtype) if again else ctx.dense
            above = grad @ (overlay.write(values) if dense is None else dense)
        if ctx.needs_input_grad[1]:
            out, rows = grad.reshape(-1, grad.shape[-1]), input.reshape(-1, input.shape[-1])
            if _is_sampled(overlay) and not again:
                found = sample_products(out, rows, overlay)
            else:
                product = out.t() @ rows.to(out.dtype)
                found = product.reshape(-1).index_select(0, overlay.positions)
        if ctx.needs_input_grad[2]:
            offset = grad.reshape(-1, grad.shape[-1]).sum(0, dtype=ctx.bias)
        return above, found, offset, None


def _convolve(self: Any, input: Tensor) -> Tensor:
    """Return what a convolution of torch does."""
    chain, rank = self.parametrizations["weight"], len(self.kernel_size)
    plain = self.padding_mode == "zeros" and not isinstance(self.padding, str)
    if not plain or input.dim() != rank + 2 or not _is_plain(chain, input):
        result: Tensor = self._conv_forward(input, self.weight, self.bias)
        return result
    weight = _constant_weight(chain)
    options = self.stride, self.padding, self.dilation, self.groups
    if weight is not None:
        return _OPERATIONS[rank](input, weight, self.bias, *options)
    output: Tensor = _Convolution.apply(input, chain.original, self.bias, (chain[0], options))  # type: ignore[no-untyped-call]
    return output


_OPERATIONS: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class _Convolution(torch.autograd.Function):
    """A convolution; the gradient of the weight is taken at the trained positions."""

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        values: Tensor,
        bias: Tensor | None,
        how: tuple[Overlay, tuple[Any, ...]],
    ) -> Tensor:
        overlay, options = how
        base = overlay.write(values)
        dense, narrow = _narrowed(base, input)
        ctx.save_for_backward(input, values.clone())
        ctx.values, ctx.version, ctx.overlay = values, values._version, overlay
        ctx.bias, ctx.options = bias is not None and bias.dtype, options
        ctx.dense = None if dense is base else dense
        bias = bias if bias is None else bias.to(dense.dtype)
        return _OPERATIONS[len(options[0])](narrow, dense, bias, *options)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, Any, None]:
        (grad,), (input, values), overlay = grads, ctx.saved_tensors, ctx.overlay
        again = torch.is_grad_enabled()
        needed = list(ctx.needs_input_grad[:3])
        sample = needed[1] and not again and pays_for_windows(overlay, ctx.options)
        if again:
            dense = _again(ctx).to(grad.dtype)
        else:
            dense = overlay.write(values) if ctx.dense is None else ctx.dense
        mask = [needed[0], needed[1] and not sample, needed[2] and not sample]
        above, found, offset = torch.ops.aten.convolution_backward(
            grad,
            input.to(grad.dtype),
            dense,
            [len(dense)],
            *ctx.options[:3],
            False,
            [0] * len(ctx.options[0]),
            ctx.options[3],
            mask,
        )
        if sample:
            found = sample_windows(grad, input, overlay, ctx.options)
            offset = grad.sum((0, *range(2, grad.dim())), dtype=ctx.bias) if needed[2] else None
        elif needed[1]:
            found = overlay.gather(found, overlay.base.stride())
        return above, found, offset, None


def _again(ctx: Any) -> Tensor:
    """Return a dense weight through which gradients flow to the values."""
    if ctx.values._version != ctx.version:
        raise RuntimeError("trained values were changed before their gradient was differentiated")
    dense: Tensor = ctx.overlay(ctx.values)
    return dense
