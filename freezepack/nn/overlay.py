"""The parametrization of a frozen weight: base and trained values in, dense weight out."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from freezepack.types import BoolArray

T = TypeVar("T")


class Overlay(nn.Module):
    """Rebuild a weight from its base and the vector of its trained values.

    Whoever reads the weight is given a copy of the base with the values written into it. So
    nothing that is done to `module.weight`, in place, through `.data` or by an initialiser, can
    reach a frozen entry: it is lost with the copy. Layers that show their weight to nobody while
    they compute go without the copy, see `write`.

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
        self._known: dict[object, tuple[tuple[object, ...], Any]] = {}
        self._dense: Tensor | None = None
        self._written: tuple[object, ...] = ()

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

    @torch.no_grad()
    def write(self, values: Tensor) -> Tensor:
        """Return a dense weight that is written anew by the next call, and never handed out.

        Only the values are written where base and positions are as they were.
        """
        state = (self.base, self.base._version, self.positions, self.positions._version)
        if self._dense is None or not _same(state, self._written):
            self._dense, self._written = self.base.detach().clone(), state
        flat = self._dense.as_strided((self._dense.numel(),), (1,))
        flat.index_copy_(0, self._storage_offsets(self._dense), values.detach())
        return self._dense

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

    def derived(self, make: Callable[..., T], *key: object) -> T:
        """Return ``make(positions, *key)``, made anew when the positions have changed."""
        # the tensor itself is kept, and so alive: an address may be used again
        tracked = not self.positions.is_inference()
        state = (self.positions, self.positions._version if tracked else object())
        if (make, key) not in self._known or not _same(state, self._known[make, key][0]):
            self._known[make, key] = state, make(self.positions, *key)
        found: T = self._known[make, key][1]
        return found

    def _storage_offsets(self, dense: Tensor) -> Tensor:
        """Where the positions lie in memory: they differ from C order in channels-last."""
        if dense.is_contiguous():
            return self.positions
        return self.derived(_offsets, tuple(dense.shape), dense.stride())

    def __getstate__(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "_known": {},
            "_dense": None,
            "_written": (),
        }  # versions begin anew in a copy


def _offsets(positions: Tensor, shape: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    rest, offsets = positions, torch.zeros_like(positions)
    for size, step in zip(reversed(shape), reversed(stride), strict=True):
        offsets += rest % size * step
        rest = rest // size
    return offsets


def _same(key: tuple[object, ...], other: tuple[object, ...]) -> bool:
    pairs = zip(key, other, strict=True)
    return all(a is b if isinstance(a, Tensor) else a == b for a, b in pairs)


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
