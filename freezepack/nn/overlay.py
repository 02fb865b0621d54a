"""The parametrization of a frozen weight: base and trained values in, dense weight out."""

from typing import Any

import torch
from torch import Tensor, nn

from freezepack.types import BoolArray


class Overlay(nn.Module):
    """Rebuild a weight from its base and the vector of its trained values.

    Whoever reads the weight is given a copy of the base with the values written into it. So
    nothing that is done to `module.weight`, in place, through `.data` or by an initialiser, can
    reach a frozen entry: it is lost with the copy. The copy costs less than a hundredth of a step.

    Parameters
    ----------
    base : Tensor
        The dense weight. Kept, never written; entries at `positions` have no meaning.
    positions : int64 Tensor, shape (k,)
        Trained positions in C order, increasing.
    """

    base: Tensor
    positions: Tensor

    def __init__(self, base: Tensor, positions: Tensor) -> None:
        super().__init__()
        self.register_buffer("base", base)
        self.register_buffer("positions", positions)
        self._key: tuple[object, ...] = ()
        self._offsets = positions

    def forward(self, values: Tensor) -> Tensor:
        """Return the dense weight; its gradient flows to `values` alone."""
        if torch.compiler.is_compiling() and type(self) is Overlay:
            flat = self.base.reshape(-1).index_copy(0, self.positions, values)
            return flat.reshape(self.base.shape)
        return _Rebuild.apply(values, self)  # type: ignore[no-any-return,no-untyped-call]

    def right_inverse(self, dense: Tensor) -> Tensor:
        """Return the trained values of a dense weight: what `module.weight = dense` keeps of it."""
        return dense.detach().reshape(-1).index_select(0, self.positions)

    def rebuild(self, values: Tensor) -> Tensor:
        """Return a new dense weight, in the memory layout of the base."""
        dense = self.base.detach().clone()
        flat = dense.as_strided((dense.numel(),), (1,))
        flat.index_copy_(0, self._storage_offsets(dense), values)
        return dense

    def gather(self, grad: Tensor, stride: tuple[int, ...]) -> Tensor:
        """Return the gradient of the values, given that of a dense weight with these strides."""
        if grad.is_sparse:  # of an embedding that asks for it
            grad = grad.to_dense()
        if grad.stride() == stride:
            flat = grad.as_strided((grad.numel(),), (1,))
            return flat.index_select(0, self._storage_offsets(grad))
        return grad.reshape(-1).index_select(0, self.positions)

    def patched(self) -> BoolArray:
        """Return where the weight may differ from its base, of the weight's shape."""
        mask = torch.zeros(self.base.numel(), dtype=torch.bool)
        mask[self.positions.cpu()] = True
        found: BoolArray = mask.reshape(tuple(self.base.shape)).numpy()
        return found

    def _storage_offsets(self, dense: Tensor) -> Tensor:
        """Where the positions lie in memory: they differ from C order in channels-last."""
        if dense.is_contiguous():
            return self.positions
        # the tensor itself is in the key, and so kept alive: an address may be used again
        tracked = not self.positions.is_inference()
        key = (self.positions, self.positions._version if tracked else object(), dense.stride())
        if not _same(key, self._key):
            rest, self._offsets = self.positions, torch.zeros_like(self.positions)
            for size, stride in zip(reversed(dense.shape), reversed(dense.stride()), strict=True):
                self._offsets += rest % size * stride
                rest = rest // size
            self._key = key
        return self._offsets

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_key": ()}  # versions begin anew in a copy


def _same(key: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return bool(other) and key[0] is other[0] and key[1:] == other[1:]


class _Rebuild(torch.autograd.Function):
    """Values in, dense weight out; backward picks the gradient at the trained positions."""

    # no setup_context: torch inspects the signature at every call of a function that has one

    @staticmethod
    def forward(ctx: Any, values: Tensor, overlay: Overlay) -> Tensor:
        dense = overlay.rebuild(values)
        ctx.overlay, ctx.stride = overlay, dense.stride()
        return dense

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.overlay.gather(grads[0], ctx.stride), None
