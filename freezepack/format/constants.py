"""Every number of the container that is not a codec's; the same as in formats/ids.toml."""

from enum import IntEnum

MAGIC = b"\x89FPK"
VERSION = 1
VERSION_CODED = 0x81
"""Stands in place of the version where the header is coded."""

FEATURE_PARTIAL = 1
KNOWN_FEATURES = FEATURE_PARTIAL

KIND_EXPLICIT_STREAM = 1
KNOWN_KIND_FLAGS = KIND_EXPLICIT_STREAM

UNIT_POSITIONS = 1 << 20
"""Most positions of one unit."""
SMALL_PAYLOAD = 1 << 16
"""Up to this many payload bytes one checksum covers the whole file."""
SMALL_MODEL = 1 << 24
"""Up to this many rebuilt bytes a file with a small payload carries one digest for all tensors."""

MAX_HEADER = 1 << 26
MAX_CODED = 1 << 14
"""Most bytes of a coded header, coded or not: few bytes of it may stand for many fields."""
DIGEST_BYTES = 8
MAX_TENSORS = 1 << 18
MAX_UNITS = 1 << 21
"""Most units of a file of which records store something."""
MAX_RUN_TENSORS = 255
MAX_NAME = 1 << 10
MAX_NAMES = 1 << 24
"""Most bytes of all names of a file."""
MAX_RANK = 32
MAX_BASES = 255
MAX_KINDS = 1 << 12
MAX_METADATA = 1 << 10
MAX_TEXT = 1 << 16
MAX_LENGTH = (1 << 63) - 1


class BaseKind(IntEnum):
    """Entries of the base table; base 0 of a tensor is zeros and needs no entry."""

    seed = 1
    file = 2
    pack = 3


METADATA_KEYS = {
    1: "architecture",
    2: "architecture_arguments",
    3: "freezing_rate",
    4: "score",
    5: "seeds",
    6: "configuration_hash",
    7: "accuracy",
    8: "licence",
}
