"""What a header holds, as data: bases, kinds, tensor records."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from freezepack.codecs import value_codec_by_id
from freezepack.format.layout import Layout, layout_of
from freezepack.format.runs import Run
from freezepack.types import Base, Draw, DType, Init, TensorSpec

UNIT_NUMBERS = 5
"""Numbers of one unit in a `UnitTable`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What several tensors have in common; stored once.

    Attributes
    ----------
    base : int
        0 for zeros, else the number of an entry of the base table, from 1.
    draw : Draw or None
        None unless the base is a seed.
    explicit_stream : bool
        Whether each record of this kind stores its stream number.
    mask_base : int
        Index codecs that take their mask from a seed: the base table entry whose key they use.
    """

    dtype: DType
    base: int
    draw: Draw | None
    explicit_stream: bool
    index_codec: int
    mask_base: int
    value_codec: int


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """Where the sections of one unit lie in the payload, and what they hold.

    Of a unit in a run `count` is its size, the most that can be trained; if the run does not begin
    with it, it has no bytes.
    """

    count: int
    index_offset: int
    index_length: int
    values_length: int
    checksum: int | None

    @property
    def values_offset(self) -> int:
        """Offset of the value section, right behind the index section."""
        return self.index_offset + self.index_length

    @property
    def length(self) -> int:
        """Bytes of both sections."""
        return self.index_length + self.values_length

    @property
    def end(self) -> int:
        """Offset behind the last section of the unit."""
        return self.index_offset + self.length


@dataclass(frozen=True, slots=True)
class UnitTable:
    """What a record stores of its units; an entry is made when it is asked for.

    Attributes
    ----------
    numbers : array of int64
        For each unit the fields of its `UnitEntry`, in their order; -1 is no checksum.
    """

    numbers: "array[int]"

    def __len__(self) -> int:
        return len(self.numbers) // UNIT_NUMBERS

    def __getitem__(self, number: int) -> UnitEntry:
        place = UNIT_NUMBERS * range(len(self))[number]
        count, offset, index, values, checksum = self.numbers[place : place + UNIT_NUMBERS]
        return UnitEntry(count, offset, index, values, None if checksum < 0 else checksum)

    def __iter__(self) -> Iterator[UnitEntry]:
        return map(self.__getitem__, range(len(self)))

    @property
    def index_bytes(self) -> int:
        """Bytes of all index sections."""
        return sum(self.numbers[2::UNIT_NUMBERS])


@dataclass(frozen=True)
class TensorRecord:
    """One tensor of the table.

    Attributes
    ----------
    init : Init or None
        How the base is drawn. With another base only its stream counts, and it is there only if
        the mask comes from a seed; `kind.draw` tells the two apart.
    parameter : bytes
        What the value codec keeps in the record: the one element of `constant`; else empty.
    explicit_units : UnitTable, or None
        None where the table stores nothing per unit: then all units are alike and `unit`
        computes them. Offsets count from the start of the file.
    offset : int
        Where the tensor's sections begin in the file.
    nbytes : int
        Payload bytes of the tensor.
    trained : int or None
        Trained positions of all units; None for a tensor in a run, which has to be decoded first.
    digest : int or None
        None if the file carries one digest for all tensors.
    first_run : int or None
        The run of the first unit, by its place in `Header.runs`; None for a tensor in no run.
    """

    spec: TensorSpec
    kind: Kind
    base: Base
    init: Init | None
    parameter: bytes
    explicit_units: UnitTable | None
    offset: int
    nbytes: int
    trained: int | None
    digest: int | None
    first_run: int | None = None

    @cached_property
    def layout(self) -> Layout:
        """Matrix form and units."""
        return layout_of(self.spec.shape)

    def with_digest(self, digest: int) -> "TensorRecord":
        """Return the same record with another digest."""
        return TensorRecord(
            self.spec, self.kind, self.base, self.init, self.parameter, self.explicit_units,
            self.offset, self.nbytes, self.trained, digest,
            self.first_run,
        )  # fmt: skip

    def unit(self, number: int) -> UnitEntry:
        """Return what the table says of unit `number`, 0 to `layout.units` - 1."""
        if self.explicit_units is not None:
            return self.explicit_units[number]
        if not self.trained:
            return UnitEntry(0, self.offset, 0, 0, None)
        fixed_length = value_codec_by_id(self.kind.value_codec).fixed_length
        size = self.layout.unit_size(number)
        full = fixed_length(self.spec.dtype, self.layout.unit_positions) or 0
        length = fixed_length(self.spec.dtype, size) or 0
        return UnitEntry(size, self.offset + number * full, 0, length, None)


@dataclass(frozen=True, slots=True)
class Header:
    """A whole header.

    Attributes
    ----------
    tensors : dict of str to TensorRecord
        In file order (UTF-8 order of names), aliases left out.
    aliases : dict of str to str
        Tied names to the name that owns the bytes.
    coded : bool
        Whether the header of the file is coded.
    runs : tuple of Run
        Sections that tensors share, in file order.
    digest : int or None
        Content digest of all tensors; None if each record carries its own.
    sizes : dict of str to int
        Bytes by part: preamble, metadata, kinds (with bases), tensors, digests, index, values.
    """

    metadata: dict[str, str]
    bases: tuple[Base, ...]
    kinds: tuple[Kind, ...]
    tensors: dict[str, TensorRecord]
    aliases: dict[str, str]
    runs: tuple[Run, ...]
    partial: bool
    coded: bool
    digest: int | None
    file_size: int
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of all rebuilt tensors, aliases not counted."""
        return sum(record.spec.nbytes for record in self.tensors.values())
