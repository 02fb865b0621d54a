"""What is known of where tensors come from, before they are packed."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import CheckpointError
from freezepack.types import Base, BoolArray, Draw, Init, SeedBase, TensorSpec, ZerosBase


@dataclass(frozen=True, slots=True)
class Claim:
    """What a tensor was before training, and which entries were trained.

    Attributes
    ----------
    base : Base
        Zeros, a seed, or tensors outside the file.
    init : Init or None
        How a seeded base is drawn. With another base only its stream counts: that of a mask
        drawn from `mask_seed`.
    mask : bool array or None
        True is trained, of the tensor's shape. A mask is information and stored as it is: a
        trained entry may equal its base. None: what differs from the base in any bit.
    mask_seed : SeedBase or None
        Key from which the mask may have been drawn; with a seeded base that of the base.
    """

    base: Base = field(default_factory=ZerosBase)
    init: Init | None = None
    mask: BoolArray | None = None
    mask_seed: SeedBase | None = None

    @property
    def seed_of_mask(self) -> SeedBase | None:
        """The key from which the mask may have been drawn."""
        return self.base if isinstance(self.base, SeedBase) else self.mask_seed

    def flat_mask(self, spec: TensorSpec) -> BoolArray | None:
        """Return the mask in C order.

        Raises
        ------
        CheckpointError
            If it has another shape than the tensor.
        """
        if self.mask is None:
            return None
        if self.mask.shape not in {spec.shape, (spec.size,)}:
            found, wanted = list(self.mask.shape), list(spec.shape)
            raise CheckpointError(f"the mask of {spec.name!r} has shape {found}, expected {wanted}")
        flat: NDArray[np.bool_] = self.mask.reshape(-1)
        return flat

    def simplest(self) -> "Claim":
        """Return the same claim, with zeros in place of a seed that gives nothing but zeros."""
        init = self.init
        if isinstance(self.base, SeedBase) and init == Init(Draw.constant, 0, 0, _stream(init)):
            return Claim(ZerosBase(), init, self.mask, self.base)
        return self


def _stream(init: Init | None) -> int:
    return init.stream if init else 0
