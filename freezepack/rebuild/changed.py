"""How many trained entries differ from their base, counted unit by unit."""

import numpy as np

from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.rebuild.unit import UnitPatcher


def count_changed(rebuilder: Rebuilder, name: str) -> int:
    """Return how many entries of a tensor differ, in any bit, from its base.

    At most as many as are trained: a trained entry may have kept its value. Memory for two
    units is used, however large the tensor.

    Raises
    ------
    FormatError, BaseMismatchError
        As for rebuilding the tensor.
    """
    record = rebuilder.record(name)
    base = rebuilder.base_of(record)
    patcher = UnitPatcher(rebuilder.reader, record, base)
    width = record.spec.dtype.itemsize
    changed = 0
    for number in range(record.layout.units if record.trained else 0):
        before = base.make(record.layout.start(number), record.layout.unit_size(number))
        after = before.copy()
        patcher.patch(number, after)
        bits = before.view(np.uint8) != after.view(np.uint8)
        changed += int(bits.reshape(-1, width).any(axis=1).sum())
    return changed
