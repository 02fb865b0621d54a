"""The bytes of one tensor's record, and what it is made from."""

import zlib
from dataclasses import dataclass

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.format.cursor import varint_bytes
from freezepack.format.layout import layout_of
from freezepack.format.tables import Kind
from freezepack.format.write_tables import KindTables
from freezepack.types import Base, Draw, Init, SeedBase, TensorSpec


@dataclass(frozen=True, slots=True)
class EncodedUnit:
    """Trained count and sections of one unit.

    In a run the first tensor has the section, in place of its values, and counts say nothing.
    """

    count: int
    index: bytes = b""
    values: bytes = b""


@dataclass(frozen=True, slots=True)
class EncodedTensor:
    """One tensor, ready to be written.

    Attributes
    ----------
    init : Init or None
        How the base is drawn; with a base other than a seed only its stream counts, for masks
        that come from a seed. None there means the stream that costs nothing.
    units : tuple of EncodedUnit
        One for each unit of the layout, none for an empty tensor.
    digest : int
        Digest of the rebuilt tensor.
    mask_seed : SeedBase or None
        Key of an index codec that takes its mask from a seed.
    parameter : bytes
        What the value codec keeps in the record.
    """

    spec: TensorSpec
    base: Base
    init: Init | None
    index_codec: int
    value_codec: int
    units: tuple[EncodedUnit, ...]
    digest: int
    mask_seed: SeedBase | None = None
    parameter: bytes = b""

    def kind(self, tables: KindTables, stream: int) -> Kind:
        """Return the kind of this tensor and enter its bases into `tables`.

        `stream` is the number of records before this one that are not aliases.
        """
        base = tables.base_number(self.base)
        draw: Draw | None = None
        if isinstance(self.base, SeedBase):
            if self.init is None:
                raise ValueError(f"{self.spec.name!r} has a seed for its base, but no draw")
            draw = self.init.draw
        mask_base = 0
        if index_codec_by_id(self.index_codec).needs_seed:
            if self.mask_seed is None:
                raise ValueError(f"{self.spec.name!r} has a mask from a seed, but no seed for it")
            mask_base = tables.base_number(self.mask_seed)
        drawn = draw is not None or mask_base > 0
        explicit = drawn and self.init is not None and self.init.stream != stream
        return Kind(
            self.spec.dtype, base, draw, explicit, self.index_codec, mask_base, self.value_codec
        )


def tensor_bytes(
    tensor: EncodedTensor, kind: Kind, one_checksum: bool, begins: bool = True
) -> bytes:
    """Return what the record holds behind the name.

    Parameters
    ----------
    begins : bool
        For a tensor in a run: whether the run begins with it.

    Raises
    ------
    ValueError
        If units, sections or parameter do not fit the shape and the codecs.
    """
    spec = tensor.spec
    out = [varint_bytes(len(spec.shape)), *map(varint_bytes, spec.shape)]
    if tensor.init is not None:
        if kind.draw is not None:
            out.append(tensor.init.bits.to_bytes(4, "little"))
        if kind.draw == Draw.truncated_normal:
            out.append(tensor.init.tail.to_bytes(4, "little"))
        if kind.explicit_stream:
            out.append(varint_bytes(tensor.init.stream))
    expected = value_codec_by_id(tensor.value_codec).parameter_length(spec.dtype)
    _check_length(spec, "value parameter", tensor.parameter, expected)
    out.append(tensor.parameter)
    layout = layout_of(spec.shape)
    if len(tensor.units) != layout.units:
        raise ValueError(f"{spec.name!r} has {len(tensor.units)} units, expected {layout.units}")
    shared = index_codec_by_id(tensor.index_codec).shared
    for number, unit in enumerate(tensor.units):
        if shared:
            out.append(_run_bytes(unit, tensor, begins, one_checksum))
        else:
            out.append(_unit_bytes(unit, tensor, layout.unit_size(number), one_checksum))
    return b"".join(out)


def _run_bytes(unit: EncodedUnit, tensor: EncodedTensor, begins: bool, one_checksum: bool) -> bytes:
    """Return what the record stores of a unit whose section is that of a run."""
    _check_length(tensor.spec, "index", unit.index, 0)
    if not begins:
        _check_length(tensor.spec, "values", unit.values, 0)
        return b""
    out = varint_bytes(len(unit.values))
    if unit.values and not one_checksum:
        out += zlib.crc32(unit.values).to_bytes(4, "little")
    return out


def _unit_bytes(unit: EncodedUnit, tensor: EncodedTensor, size: int, one_checksum: bool) -> bytes:
    """Return what the record stores of one unit; nothing where it follows from the kind."""
    index = index_codec_by_id(tensor.index_codec)
    values = value_codec_by_id(tensor.value_codec)
    implied = {"none": 0, "all": size}.get(index.name)
    if implied not in (None, unit.count):
        raise ValueError(f"{tensor.spec.name!r} has {unit.count} trained, expected {implied}")
    out = b"" if index.name in ("none", "all") else varint_bytes(unit.count)
    partly = 0 < unit.count < size
    expected = index.fixed_length(size, unit.count) if partly else 0
    if expected is None:
        out += varint_bytes(len(unit.index))
    _check_length(tensor.spec, "index", unit.index, expected)
    expected = values.fixed_length(tensor.spec.dtype, unit.count) if unit.count else 0
    if expected is None:
        out += varint_bytes(len(unit.values))
    _check_length(tensor.spec, "values", unit.values, expected)
    if not one_checksum and (unit.index or unit.values):
        out += zlib.crc32(unit.values, zlib.crc32(unit.index)).to_bytes(4, "little")
    return out


def _check_length(spec: TensorSpec, part: str, data: bytes, expected: int | None) -> None:
    if expected is not None and len(data) != expected:
        raise ValueError(f"{part} of {spec.name!r}: {len(data)} bytes, expected {expected}")
