"""How many trained entries differ from their base, counted unit by unit."""

import numpy as np

from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.rebuild.unit import UnitBase


def count_changed(rebuilder: Rebuilder, name: str) -> int:
    """Return how many entries of a tensor differ, in any bit, from its base.

    At most as many as are trained: a trained entry may have kept its value. Memory for one
    unit is used, however large the tensor.

    Raises
    ------
    FormatError, BaseMismatchError
        As for rebuilding the tensor.
    """
    record = rebuilder.record(name)
    patcher = rebuilder.patcher(record)
    width = record.spec.dtype.itemsize
    changed = 0
    for number in range(0 if record.trained == 0 else record.layout.units):
        layout = record.layout
        base = UnitBase(patcher.base, layout.start(number), layout.unit_size(number))
        patch = patcher.decode(number, base)
        if patch is not None:
            before = np.ascontiguousarray(base.make_at(patch.positions)).view(np.uint8)
            after = np.ascontiguousarray(patch.values).view(np.uint8)
            changed += int((before != after).reshape(-1, width).any(axis=1).sum())
    return changed
