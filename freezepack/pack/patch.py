"""The difference between a tensor and its base, unit by unit."""

from dataclasses import dataclass

import numpy as np

from freezepack import native
from freezepack.codecs.base import BaseValues, Unit
from freezepack.errors import BaseDriftError
from freezepack.format.layout import Layout, layout_of
from freezepack.pack.claims import Claim
from freezepack.rebuild.base import TensorBase
from freezepack.rebuild.unit import describe_unit
from freezepack.types import BoolArray, Positions, RawArray, TensorSpec


@dataclass(frozen=True, slots=True)
class UnitPatch:
    """What is trained in one unit.

    Attributes
    ----------
    positions : uint32 array
        Trained positions in the unit, increasing; empty where everything is trained.
    values : raw array, shape (count,)
        Their bits.
    base_values : BaseValues
        The base at the same positions, made when a codec asks for it.
    changed : int
        Entries of the unit that differ from the base in any bit.
    drifted : int
        Those of them that are not trained.
    """

    unit: Unit
    count: int
    positions: Positions
    values: RawArray
    base_values: BaseValues
    changed: int
    drifted: int


@dataclass(frozen=True, slots=True)
class TensorPatch:
    """What is trained in a tensor, and from which base."""

    spec: TensorSpec
    claim: Claim
    base: TensorBase
    units: tuple[UnitPatch, ...]

    @property
    def trained(self) -> int:
        """Trained positions."""
        return sum(unit.count for unit in self.units)

    @property
    def changed(self) -> int:
        """Entries that differ from the base in any bit."""
        return sum(unit.changed for unit in self.units)


def make_patch(raw: RawArray, claim: Claim, base: TensorBase) -> TensorPatch:
    """Compare a tensor with its base and cut what is trained into units.

    Raises
    ------
    BaseDriftError
        If an entry outside the claimed mask differs from the base.
    """
    spec = base.spec
    layout = layout_of(spec.shape)
    mask = claim.flat_mask(spec)

    def cut(begin: int, end: int) -> list[UnitPatch]:
        return [_cut_unit(raw, mask, claim, base, layout, n) for n in range(begin, end)]

    parts = native.map_tiles(cut, layout.units, 1, least=1)
    units = tuple(unit for part in parts for unit in part)
    drifted = sum(unit.drifted for unit in units)
    if drifted:
        raise BaseDriftError(
            f"{spec.name!r}: {drifted:,} of {spec.size:,} entries differ from the base outside the "
            "mask. Either the model did not start from this base, or frozen entries moved; "
            "without the claim (another --base) they are stored as trained values"
        )
    return TensorPatch(spec, claim, base, units)


def _cut_unit(  # noqa: PLR0917
    raw: RawArray,
    mask: BoolArray | None,
    claim: Claim,
    base: TensorBase,
    layout: Layout,
    number: int,
) -> UnitPatch:
    start, size = layout.start(number), layout.unit_size(number)
    part = raw[start : start + size]
    differs = bits_differ(part, base.make(start, size))
    changed = int(np.count_nonzero(differs))
    chosen = differs if mask is None else mask[start : start + size]
    drifted = 0 if mask is None else int(np.count_nonzero(differs & ~chosen))
    unit = describe_unit(layout, number, base, claim.seed_of_mask)
    count = int(np.count_nonzero(chosen))
    whole = count == size
    positions = np.flatnonzero(chosen).astype(np.uint32) if not whole else np.zeros(0, np.uint32)
    values = part if whole else part[positions]
    base_values = base.values_at(start, size, None if whole else positions)
    return UnitPatch(unit, count, positions, values, base_values, changed, drifted)


def bits_differ(a: RawArray, b: RawArray) -> BoolArray:
    """Return where two raw arrays of one element type differ in any bit.

    Examples
    --------
    >>> bits_differ(np.array([1, 2], np.uint8), np.array([1, 3], np.uint8)).tolist()
    [False, True]
    """
    if a.dtype.kind == "V":
        halves: BoolArray = (a.view("<u8") != b.view("<u8")).reshape(-1, 2)
        return halves[:, 0] | halves[:, 1]
    different: BoolArray = a != b
    return different
