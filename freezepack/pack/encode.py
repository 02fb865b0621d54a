"""From a patch to sections: every legal way to write a tensor, with its size."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from freezepack import native
from freezepack.codecs import INDEX_CODECS, VALUE_CODECS, value_codec_by_id
from freezepack.codecs.base import IndexCodec, ValueCodec
from freezepack.digest import digest
from freezepack.format.cursor import varint_bytes
from freezepack.format.writer import EncodedTensor, EncodedUnit
from freezepack.pack.patch import TensorPatch, UnitPatch
from freezepack.types import Draw, RawArray, SeedBase

MOST_SMALL_POSITIONS = 1 << 24
"""Tensors with more are written for speed if nobody says what counts."""
INDEX_CHOICES = ("small", "fast", "auto")
VALUE_CHOICES = ("auto",)
NAMED_ONLY = ("planes",)
"""Value codecs that "auto" never takes: their bytes change with the release of a library."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to write a tensor, and its bytes in the table and the payload."""

    patch: TensorPatch
    tensor: EncodedTensor
    nbytes: int

    @property
    def rank(self) -> tuple[int, int, int]:
        """Order of preference: bytes, then the lower codec numbers."""
        return self.nbytes, self.tensor.index_codec, self.tensor.value_codec


@dataclass(frozen=True, slots=True)
class Sections:
    """What one codec makes of all units of a tensor."""

    codec: int
    units: tuple[bytes, ...]
    nbytes: int
    parameter: bytes = b""


def check_choices(index: str, values: str) -> None:
    """Raise UnknownNameError for a choice that is neither a codec nor a rule to choose one."""
    if index not in INDEX_CHOICES:
        INDEX_CODECS[index]
    if values not in VALUE_CHOICES:
        VALUE_CODECS[values]


def list_options(
    patch: TensorPatch, raw: RawArray, index: str, values: str, codec: ValueCodec | None = None
) -> list[Option]:
    """Return every way to write a tensor that the choices allow, at least one.

    A codec that cannot code this tensor is left out; others replace one that was named.
    """
    exact = digest(raw)
    indexes = list(_code_index(patch, _index_codecs(patch, index)))
    indexes = indexes or list(_code_index(patch, _index_codecs(patch, "small")))
    named = [codec] if codec is not None and patch.trained else None
    codings = list(_code_values(patch, named or _value_codecs(patch, index, values)))
    codings = codings or list(_code_values(patch, _value_codecs(patch, index, "auto")))
    return [_option(patch, raw, exact, i, v) for i in indexes for v in codings]


def _option(
    patch: TensorPatch, raw: RawArray, exact: int, index: Sections, values: Sections
) -> Option:
    init, base = patch.base.init, patch.claim.base
    parts = zip(patch.units, index.units, values.units, strict=True)
    units = tuple(EncodedUnit(unit.count, i, v) for unit, i, v in parts)
    codec = value_codec_by_id(values.codec)
    tensor = EncodedTensor(
        patch.spec,
        base,
        init,
        index.codec,
        values.codec,
        units,
        _lossy_digest(patch, raw, codec, values) if codec.lossy else exact,
        patch.claim.seed_of_mask,
        values.parameter,
    )
    scale = 0
    if isinstance(base, SeedBase) and init is not None:
        scale = 8 if init.draw == Draw.truncated_normal else 4
    return Option(patch, tensor, scale + index.nbytes + values.nbytes)


def _index_codecs(patch: TensorPatch, choice: str) -> list[IndexCodec]:
    if patch.trained == 0:
        return [INDEX_CODECS.get_part("none")]
    if patch.trained == patch.spec.size:
        return [INDEX_CODECS.get_part("all")]
    codecs = [INDEX_CODECS.get_part(name) for name in INDEX_CODECS if name not in ("none", "all")]
    codecs = [codec for codec in codecs if not codec.shared]
    if choice in INDEX_CODECS:
        return [codec for codec in codecs if codec.name == choice]
    return [
        codec for codec in codecs if not (is_fast(patch.spec.size, choice) and _is_adaptive(codec))
    ]


def _value_codecs(patch: TensorPatch, index: str, choice: str) -> list[ValueCodec]:
    if choice in VALUE_CODECS and patch.trained:
        return [VALUE_CODECS.get_part(choice)]
    codecs = [VALUE_CODECS.get_part(name) for name in VALUE_CODECS if name not in NAMED_ONLY]
    lossless = [codec for codec in codecs if not codec.lossy]
    if not patch.trained:
        return lossless[:1]
    return [
        codec for codec in lossless if not (is_fast(patch.spec.size, index) and _is_adaptive(codec))
    ]


def is_fast(size: int, choice: str) -> bool:
    """Return whether a tensor of `size` entries is written for speed."""
    return choice == "fast" or (choice == "auto" and size > MOST_SMALL_POSITIONS)


def _is_adaptive(codec: IndexCodec | ValueCodec) -> bool:
    """Return whether a codec decodes symbol by symbol, each depending on those before."""
    return getattr(codec, "adaptive", False)


def _code_index(patch: TensorPatch, codecs: Sequence[IndexCodec]) -> Iterator[Sections]:
    """Yield the index sections of every codec that can write this mask."""
    for codec in codecs:

        def encode(part: UnitPatch, codec: IndexCodec = codec) -> bytes | None:
            if not 0 < part.count < part.unit.size:
                return b""
            return codec.encode(part.positions, part.unit)

        sections = _encode_units(patch.units, encode)
        if sections is None:
            continue
        nbytes = sum(map(len, sections))
        for part, section in zip(patch.units, sections, strict=True):
            mixed = 0 < part.count < part.unit.size
            if mixed and codec.fixed_length(part.unit.size, part.count) is None:
                nbytes += len(varint_bytes(len(section)))
        yield Sections(codec.id, tuple(sections), nbytes)


def _code_values(patch: TensorPatch, codecs: Sequence[ValueCodec]) -> Iterator[Sections]:
    """Yield the value sections of every codec that can write these values."""
    dtype = patch.spec.dtype
    for codec in codecs:
        length = codec.parameter_length(dtype)

        def encode(part: UnitPatch, codec: ValueCodec = codec) -> bytes | None:
            if not part.count:
                return b""
            return codec.encode(part.values, dtype, part.base_values)

        coded = _encode_units(patch.units, encode)
        if coded is None:
            continue
        parameters = {data[:length] for data in coded if data}
        if len(parameters) > 1:
            continue
        sections = tuple(data[length:] for data in coded)
        nbytes = length + sum(map(len, sections))
        for part, section in zip(patch.units, sections, strict=True):
            if part.count and codec.fixed_length(dtype, part.count) is None:
                nbytes += len(varint_bytes(len(section)))
        parameter = next(iter(parameters), bytes(length))
        yield Sections(codec.id, sections, nbytes, parameter)


def _encode_units(
    parts: Sequence[UnitPatch], encode: Callable[[UnitPatch], bytes | None]
) -> list[bytes] | None:
    """Encode all units, in threads if there are several; None if one cannot be coded."""
    first = encode(parts[0]) if parts else b""
    if first is None:
        return None
    sections: list[bytes] = [first] if parts else []

    def work(begin: int, end: int) -> list[bytes | None]:
        return [encode(part) for part in parts[1 + begin : 1 + end]]

    for found in native.map_tiles(work, len(parts) - len(sections), 1, least=1):
        for section in found:
            if section is None:
                return None
            sections.append(section)
    return sections


def _lossy_digest(patch: TensorPatch, raw: RawArray, codec: ValueCodec, coded: Sections) -> int:
    """Return the digest of the tensor as it will be rebuilt."""
    rebuilt = raw.copy()
    for part, section in zip(patch.units, coded.units, strict=True):
        if part.count:
            out = rebuilt[part.unit.start : part.unit.start + part.unit.size]
            data = memoryview(coded.parameter + section)
            base = part.base_values
            values = codec.decode(data, patch.spec.dtype, part.count, base, 0)
            out[part.positions if part.count < part.unit.size else slice(None)] = values
    return digest(rebuilt)
