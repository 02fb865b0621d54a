"""What an index asks for of a tensor, made without what lies between."""

from math import prod
from typing import Any

from freezepack import native
from freezepack.rebuild.memory import empty_arrays
from freezepack.rebuild.ranges import Range, fill_ranges, make_ranges
from freezepack.rebuild.unit import UnitPatcher
from freezepack.slicing import Piece, answer_shape, split
from freezepack.types import RawArray


def make_part(patcher: UnitPatcher, index: Any) -> RawArray:
    """Return what `index` asks for, in its shape and with memory of its own.

    Beside the answer there is memory for one unit in each thread.

    Raises
    ------
    IndexError, TypeError
        As for `freezepack.slicing.cut`.
    FormatError, BaseMismatchError
        If a unit is damaged, or a base outside the file has not the tensor.
    """
    spec = patcher.record.spec
    shape = answer_shape(spec.shape, index)
    out = empty_arrays([(prod(shape), spec.dtype.raw)])[0].reshape(shape)
    if not out.size:
        return out
    pieces = list(split(spec.shape, index, patcher.layout.unit_positions))
    whole = [piece for piece in pieces if piece.cut.is_run]
    ranges = [Range(patcher, piece.cut.start, piece.cut.stop) for piece in whole]
    fill_ranges(ranges, [_view(out, piece).reshape(-1) for piece in whole])

    def make(piece: Piece) -> None:
        block = make_ranges([Range(patcher, piece.cut.start, piece.cut.stop)])[0]
        _view(out, piece)[...] = block.reshape(piece.cut.shape)[piece.cut.rest]

    others = [piece for piece in pieces if not piece.cut.is_run]
    native.map_items(make, others, sum(piece.cut.stop - piece.cut.start for piece in others))
    return out


def _view(out: RawArray, piece: Piece) -> RawArray:
    """Return the place of a piece; the ellipsis makes an array of a single element too."""
    place: Any = (*piece.place, Ellipsis)
    found: RawArray = out[place]
    return found
