"""What was done to a model when it was frozen: all that a pack must know beside the weights."""

from dataclasses import dataclass, field, replace

import numpy as np
from torch import nn

from freezepack.nn.frozen import frozen_masks
from freezepack.nn.state import unwrap
from freezepack.types import BoolArray, Init

_ATTRIBUTE = "_freezepack_record"


@dataclass(frozen=True, slots=True)
class FreezeRecord:
    """Base and masks of a frozen model.

    Attributes
    ----------
    fill : {"seed", "zeros", "file"}
        The base of the frozen weights: the seed, 0 (a pruned network), or the weights the model
        had when it was frozen.
    seed : int or None
        Key of the generator.
    freezing_rate, score : str
        How the masks were chosen.
    init : dict of name to Init
        How each seeded weight was drawn. Empty unless `fill` is "seed".
    masks : dict of name to bool array
        True is trained. Only weights of which something is frozen; all others are trained.
    base_digest : int or None
        Content digest of the base checkpoint, if `fill` is "file".
    """

    fill: str
    seed: int | None
    freezing_rate: str
    score: str
    init: dict[str, Init] = field(default_factory=dict)
    masks: dict[str, BoolArray] = field(default_factory=dict)
    base_digest: int | None = None


def attach_record(model: nn.Module, record: FreezeRecord) -> None:
    """Keep the record with the model; copies of the model carry it along."""
    setattr(unwrap(model), _ATTRIBUTE, record)


def record_of(model: nn.Module) -> FreezeRecord | None:
    """Return what was attached when the model was frozen, or None.

    The masks are those of the overlay at present: loading a state dict may have changed them.

    Examples
    --------
    >>> record_of(nn.Linear(2, 2)) is None
    True
    """
    record = getattr(unwrap(model), _ATTRIBUTE, None)
    if not isinstance(record, FreezeRecord):
        return None
    present = {k: mask for k, mask in frozen_masks(unwrap(model)).items() if k in record.masks}
    if all(np.array_equal(mask, record.masks[name]) for name, mask in present.items()):
        return record
    return replace(record, masks={**record.masks, **present})
