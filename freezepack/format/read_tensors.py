"""Reading the tensor table: one record after another, then the digests."""

from array import array
from dataclasses import dataclass, field

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.errors import CorruptError, FormatError, LimitError
from freezepack.format.constants import (
    MAX_LENGTH,
    MAX_NAMES,
    MAX_RANK,
    MAX_TENSORS,
    SMALL_MODEL,
)
from freezepack.format.cursor import Cursor
from freezepack.format.layout import Layout, layout_of
from freezepack.format.names import read_name
from freezepack.format.read_units import UnitReader
from freezepack.format.runs import RunTable
from freezepack.format.tables import Kind, TensorRecord, UnitTable
from freezepack.random.init import find_init_problem, find_range_problem
from freezepack.types import Base, Draw, Init, TensorSpec, ZerosBase


@dataclass
class TensorTable:
    """Reads records into `tensors` and `aliases`, and keeps what later rules need.

    Attributes
    ----------
    next_section : int
        Offset in the file of the next section; before `read`, of the first.
    one_checksum : bool
        Whether the file has one checksum, so that units have none.
    rebuilt : int
        Bytes of all tensors read so far.
    """

    cursor: Cursor
    bases: tuple[Base, ...]
    kinds: tuple[Kind, ...]
    next_section: int
    one_checksum: bool
    tensors: dict[str, TensorRecord] = field(default_factory=dict)
    runs: RunTable = field(default_factory=RunTable)
    aliases: dict[str, str] = field(default_factory=dict)
    rebuilt: int = 0
    _names: list[str] = field(default_factory=list)
    _name_bytes: int = 0
    _units: int = 0
    _parts: dict[int, "_KindParts"] = field(default_factory=dict)
    _checked_scales: set[tuple[int, int]] = field(default_factory=set)

    def read(self) -> None:
        """Read the count and all records."""
        offset = self.cursor.offset
        for _ in range(self.cursor.varint("tensor_count", MAX_TENSORS)):
            self._read_record()
        if len(self._parts) != len(self.kinds):
            problem = f"records use {len(self._parts)} of {len(self.kinds)} kinds, expected all"
            raise CorruptError("tensor_count", offset, problem)

    def read_digests(self) -> int | None:
        """Read one digest for the whole model and return it, or one into each record."""
        if self.one_checksum and self.rebuilt <= SMALL_MODEL:
            offset = self.cursor.offset
            digest = self.cursor.unsigned(8, "digest")
            if digest and not self.tensors:  # nobody would ever compare it
                raise CorruptError("digest", offset, f"found {digest:016x}, expected 0: no tensors")
            return digest
        for name, record in self.tensors.items():
            self.tensors[name] = record.with_digest(self.cursor.unsigned(8, "digest"))
        return None

    def _read_record(self) -> None:
        offset = self.cursor.offset
        number = self.cursor.varint("tensor_kind")
        if number > len(self.kinds):
            problem = f"kind {number} of a table with {len(self.kinds)} entries"
            raise CorruptError("tensor_kind", offset, problem)
        if number > len(self._parts) + 1:
            problem = f"kind {number} is used before kind {len(self._parts) + 1}"
            raise CorruptError("tensor_kind", offset, problem)
        if number > len(self._parts):
            self._parts[number] = self._find_parts(self.kinds[number - 1])
        name = self._read_name()
        try:
            if number:
                self.tensors[name] = self._read_tensor(name, number, offset)
            else:
                self.aliases[name] = self._read_target()
        except FormatError as error:
            raise error.of(name) from None

    def _read_name(self) -> str:
        offset = self.cursor.offset
        name = read_name(self.cursor, self._names[-1] if self._names else "")
        self._names.append(name)
        self._name_bytes += len(name.encode())
        if self._name_bytes > MAX_NAMES:
            raise LimitError("name", offset, f"all names have more than {MAX_NAMES} bytes")
        return name

    def _read_target(self) -> str:
        offset = self.cursor.offset
        target = self.cursor.varint("alias_target")
        if target >= len(self._names) - 1 or self._names[target] not in self.tensors:
            problem = f"record {target} is not an earlier tensor that owns its bytes"
            raise CorruptError("alias_target", offset, problem)
        return self._names[target]

    def _find_parts(self, kind: Kind) -> "_KindParts":
        """Look up once what all records of a kind need."""
        index, values = index_codec_by_id(kind.index_codec), value_codec_by_id(kind.value_codec)
        base = self.bases[kind.base - 1] if kind.base else ZerosBase()
        units = UnitReader(self.cursor, index, values, kind.dtype, self.one_checksum)
        parameter_length = values.parameter_length(kind.dtype)
        return _KindParts(kind, base, units, parameter_length, kind.dtype.itemsize)

    def _read_tensor(self, name: str, number: int, offset: int) -> TensorRecord:
        parts = self._parts[number]
        kind = parts.kind
        spec = TensorSpec(name, self._read_shape(parts.itemsize), kind.dtype)
        init = self._read_init(kind, number)
        parameter = self.cursor.take(parts.parameter_length, "value_parameter")
        start = self.next_section
        layout = layout_of(spec.shape)
        first_run, trained = None, None
        units: UnitTable | None
        if parts.units.index.shared and layout.size:
            units, nbytes, first_run = self._read_shared(name, layout, parts.units)
        else:
            units, trained, nbytes = parts.units.read(layout, start, self._units)
            self._units += 0 if units is None else len(units)
            _check_index_codec(parts.units.index.name, layout.size, trained, offset)
        self.next_section += nbytes
        return TensorRecord(
            spec, kind, parts.base, init, parameter, units, start, nbytes, trained, None, first_run
        )

    def _read_shared(
        self, name: str, layout: Layout, reader: UnitReader
    ) -> tuple[UnitTable, int, int]:
        """Read what is stored of a tensor in a run: its units, its bytes, its first run."""
        if not self.runs.begins(layout.size):
            number = self.runs.join(name)
            return UnitTable(array("q", (layout.size, self.next_section, 0, 0, -1))), 0, number
        units, nbytes = reader.read_shared(layout, self.next_section, self._units)
        self._units += len(units)
        return units, nbytes, self.runs.add(name, units)

    def _read_shape(self, itemsize: int) -> tuple[int, ...]:
        """Read rank and dimensions; neither this tensor nor all may pass the limit on bytes."""
        start = self.cursor.offset
        shape: list[int] = []
        nbytes = itemsize
        for _ in range(self.cursor.varint("rank", MAX_RANK)):
            offset = self.cursor.offset
            shape.append(self.cursor.varint("dimension"))
            nbytes *= shape[-1] or 1
            if nbytes > MAX_LENGTH:
                problem = f"shape {shape}... needs more than {MAX_LENGTH} bytes"
                raise LimitError("dimension", offset, problem)
        self.rebuilt += 0 if 0 in shape else nbytes
        if self.rebuilt > MAX_LENGTH:
            raise LimitError("rank", start, f"the tensors need more than {MAX_LENGTH} bytes")
        return tuple(shape)

    def _read_init(self, kind: Kind, number: int) -> Init | None:
        if kind.draw is None:
            return Init(Draw.constant, 0, 0, self._read_stream(kind)) if kind.mask_base else None
        truncated = kind.draw == Draw.truncated_normal
        offset = self.cursor.offset
        bits = self.cursor.unsigned(4, "scale")
        if (number, bits) not in self._checked_scales:
            init = Init(kind.draw, bits, tail=int(truncated))
            problem = find_init_problem(init) or find_range_problem(init, kind.dtype)
            if problem:
                raise CorruptError("scale", offset, problem)
            self._checked_scales.add((number, bits))
        tail = 0
        if truncated:
            offset = self.cursor.offset
            tail = self.cursor.unsigned(4, "tail")
            if not tail:
                raise CorruptError("tail", offset, "found 0, expected 1 to 4294967295")
        return Init(kind.draw, bits, tail, self._read_stream(kind))

    def _read_stream(self, kind: Kind) -> int:
        number = len(self.tensors)
        if not kind.explicit_stream:
            return number
        offset = self.cursor.offset
        stream = self.cursor.varint("stream")
        if stream == number:
            raise CorruptError("stream", offset, f"stream {number} is stored, which is the default")
        return stream


@dataclass(frozen=True, slots=True)
class _KindParts:
    kind: Kind
    base: Base
    units: UnitReader
    parameter_length: int
    itemsize: int


def _check_index_codec(name: str, size: int, trained: int, offset: int) -> None:
    """Nothing trained is `none`, everything `all`, and neither stands for anything else."""
    wanted = "none" if not trained else "all" if trained == size else ""
    if wanted != (name if name in ("none", "all") else ""):
        problem = f"{trained} of {size} are trained, which {name} may not code"
        raise CorruptError("tensor_kind", offset, problem)
