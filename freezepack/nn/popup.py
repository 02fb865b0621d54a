"""The parametrization of a weight that is kept or removed and never trained."""

import torch
from torch import Tensor

from freezepack.nn.overlay import Overlay
from freezepack.types import BoolArray


class Popup(Overlay):
    """Make a weight of a constant base and of scores that say which entries of it are removed.

    The scores are the only Parameter, one for each free position. `keep` sets which of them are
    in; until it is called all are.

    Parameters
    ----------
    base : Tensor
        The dense weight, as it was drawn. Kept, never written.
    free : int64 Tensor, shape (f,)
        Positions in C order that have a score, increasing.
    pruned : int64 Tensor
        Positions that are removed for good, increasing. All others that are not free stay.
    """

    pruned: Tensor
    kept: Tensor
    slope: Tensor

    def __init__(self, base: Tensor, free: Tensor, pruned: Tensor) -> None:
        super().__init__(base, free)
        self.register_buffer("pruned", pruned)
        self.register_buffer("kept", torch.ones(len(free), dtype=torch.bool, device=base.device))
        self.register_buffer("slope", self._weights())

    def keep(self, kept: Tensor, scores: Tensor) -> None:
        """Set which free positions are in, and the slope of the weight along their scores.

        Parameters
        ----------
        kept : bool Tensor, shape (f,)
            True stays.
        scores : Tensor, shape (f,)
            Their magnitudes decided; their signs turn the slope.
        """
        self.kept.copy_(kept)
        self.slope.copy_(self._weights() * scores.detach().sign())

    def rebuild(self, values: Tensor) -> Tensor:
        """Return a new dense weight: the base where it is kept, else 0. The scores play no part."""
        dense = self.base.detach().clone()
        flat = dense.as_strided((dense.numel(),), (1,))
        offsets = self._storage_offsets(dense)
        flat.index_copy_(0, offsets, torch.where(self.kept, flat.index_select(0, offsets), 0.0))
        if len(self.pruned):
            rows = torch.unravel_index(self.pruned, tuple(dense.shape))
            dense.index_put_(tuple(rows), dense.new_zeros(()))
        return dense

    def gather(self, grad: Tensor, stride: tuple[int, ...]) -> Tensor:
        """Return the gradient of the scores: as if keeping were a multiplication by the score.

        References
        ----------
        Ramanujan et al., arXiv:1911.13299: straight-through over the choice of the highest.
        """
        return super().gather(grad, stride) * self.slope

    def right_inverse(self, dense: Tensor) -> Tensor:
        """Refuse to take over values: there are none."""
        raise NotImplementedError("a weight under a supermask is not trained and takes no values")

    def patched(self) -> BoolArray:
        """Return where the weight is removed, of the weight's shape."""
        removed = torch.zeros(self.base.numel(), dtype=torch.bool)
        removed[self.pruned.cpu()] = True
        removed[self.positions[~self.kept].cpu()] = True
        mask: BoolArray = removed.reshape(tuple(self.base.shape)).numpy()
        return mask

    def _weights(self) -> Tensor:
        """Return the base at the free positions."""
        return self.base.reshape(-1).index_select(0, self.positions)
