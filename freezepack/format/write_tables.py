"""The bytes of metadata, bases and kinds: the tables before the tensors."""

from collections.abc import Mapping

from freezepack.format.constants import KIND_EXPLICIT_STREAM, MAX_TEXT, METADATA_KEYS, BaseKind
from freezepack.format.cursor import text_bytes, varint_bytes
from freezepack.format.tables import Kind
from freezepack.types import Base, FileBase, SeedBase, ZerosBase


def metadata_bytes(metadata: Mapping[str, str]) -> bytes:
    """Return the metadata table: keys with a number first, then free keys by UTF-8.

    Raises
    ------
    ValueError
        If a key is empty, or a text has NUL, is too long or is not Unicode text.
    """
    numbers = {key: number for number, key in METADATA_KEYS.items()}
    order = sorted(metadata, key=lambda key: (numbers.get(key, len(numbers) + 1), key.encode()))
    out = [varint_bytes(len(order))]
    for key in order:
        for text in (key, metadata[key]):
            if "\0" in text or len(text.encode()) > MAX_TEXT:
                raise ValueError(f"metadata {key!r} has NUL or more than {MAX_TEXT} bytes")
        if not key:
            raise ValueError("a metadata key is empty")
        out.append(varint_bytes(numbers[key]) if key in numbers else b"\0" + text_bytes(key))
        out.append(text_bytes(metadata[key]))
    return b"".join(out)


class KindTables:
    """Bases and kinds in order of first use, numbered from 1."""

    def __init__(self) -> None:
        self._bases: dict[Base, int] = {}
        self._kinds: dict[Kind, int] = {}

    def base_number(self, base: Base) -> int:
        """Return the number of `base`, entering it if it is new; zeros are 0."""
        if isinstance(base, ZerosBase):
            return 0
        return self._bases.setdefault(base, len(self._bases) + 1)

    def number(self, kind: Kind) -> int:
        """Return the number of `kind`, entering it if it is new."""
        return self._kinds.setdefault(kind, len(self._kinds) + 1)

    def bytes(self) -> bytes:
        """Return both tables."""
        out = [varint_bytes(len(self._bases)), *map(_base_bytes, self._bases)]
        out += [varint_bytes(len(self._kinds)), *map(_kind_bytes, self._kinds)]
        return b"".join(out)


def _base_bytes(base: Base) -> bytes:
    if isinstance(base, ZerosBase):
        raise TypeError("zeros have no entry in the base table")
    if isinstance(base, SeedBase):
        return varint_bytes(BaseKind.seed) + varint_bytes(base.seed)
    kind = BaseKind.file if isinstance(base, FileBase) else BaseKind.pack
    return varint_bytes(kind) + base.digest.to_bytes(8, "little") + text_bytes(base.hint)


def _kind_bytes(kind: Kind) -> bytes:
    out = varint_bytes(kind.dtype) + varint_bytes(kind.base)
    if kind.draw is not None:
        out += varint_bytes(kind.draw)
    out += varint_bytes(KIND_EXPLICIT_STREAM if kind.explicit_stream else 0)
    out += varint_bytes(kind.index_codec)
    if kind.mask_base:
        out += varint_bytes(kind.mask_base)
    return out + varint_bytes(kind.value_codec)
