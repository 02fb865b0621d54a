"""Bytes to masks and values: one file per codec, one line per codec here.

A line is `(number in the file, name): Entry(...)`; the numbers are those of formats/ids.toml.
"""

from functools import cache
from typing import TYPE_CHECKING

from freezepack.registry import Entry, Registry

if TYPE_CHECKING:
    from freezepack.codecs.base import IndexCodec, ValueCodec

_INDEX = {
    (0, "none"): Entry("freezepack.codecs.ends:NONE", "nothing is trained; no bytes"),
    (1, "all"): Entry("freezepack.codecs.ends:ALL", "everything is trained; no bytes"),
    (2, "bitmap"): Entry("freezepack.codecs.bitmap:BITMAP", "one bit for each position"),
    (3, "gaps"): Entry("freezepack.codecs.gaps:GAPS", "distances, in blocks of adaptive codes"),
    (4, "seeded"): Entry("freezepack.codecs.seeded:SEEDED", "mask drawn from a seed; no bytes"),
    (5, "hazard"): Entry("freezepack.codecs.hazard.codec:HAZARD", "predicted from the base"),
    (6, "base-top"): Entry("freezepack.codecs.base_top:BASE_TOP", "largest of the base; no bytes"),
    (7, "free"): Entry("freezepack.codecs.free:FREE", "a seed knows a part of the mask"),
    (8, "hazard-turned"): Entry(
        "freezepack.codecs.hazard.turned:HAZARD_TURNED", "hazard, rows and columns exchanged"
    ),
    (9, "probit"): Entry(
        "freezepack.codecs.probit.codec:PROBIT", "predicted from the base, position by position"
    ),
    (15, "joint"): Entry(
        "freezepack.codecs.joint.index:JOINT", "index and values of several tensors"
    ),
}
_VALUES = {
    (0, "raw"): Entry("freezepack.codecs.raw:RAW", "the bits as they are"),
    (1, "planes"): Entry("freezepack.codecs.planes:PLANES", "byte planes, then zstd; lossless"),
    (2, "constant"): Entry("freezepack.codecs.constant:CONSTANT", "one value for all; no bytes"),
    (3, "float"): Entry("freezepack.codecs.floats.codec:FLOAT", "modelled, given the base"),
    (4, "grid"): Entry("freezepack.codecs.grid.codec:GRID", "steps from the base; lossy"),
    (5, "bf16"): Entry("freezepack.codecs.narrowed:BF16", "rounded to bfloat16; lossy"),
    (6, "fp16"): Entry("freezepack.codecs.narrowed:FP16", "rounded to float16; lossy"),
}

INDEX_CODECS = Registry("index codec", {name: entry for (_, name), entry in _INDEX.items()})
VALUE_CODECS = Registry("value codec", {name: entry for (_, name), entry in _VALUES.items()})

_INDEX_NAMES = dict(_INDEX.keys())
_VALUE_NAMES = dict(_VALUES.keys())


@cache
def index_codec_by_id(number: int) -> "IndexCodec":
    """Return the index codec that a file calls `number`.

    Raises
    ------
    LookupError
        If there is none.

    Examples
    --------
    >>> index_codec_by_id(2).name
    'bitmap'
    """
    codec: IndexCodec = INDEX_CODECS.get_part(_INDEX_NAMES[number])
    return codec


@cache
def value_codec_by_id(number: int) -> "ValueCodec":
    """Return the value codec that a file calls `number`.

    Raises
    ------
    LookupError
        If there is none.

    Examples
    --------
    >>> value_codec_by_id(0).name
    'raw'
    """
    codec: ValueCodec = VALUE_CODECS.get_part(_VALUE_NAMES[number])
    return codec
