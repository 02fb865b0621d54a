"""Reading the tensor table: one record after another, then the digests."""

from dataclasses import dataclass, field, replace
from math import prod

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.codecs.base import IndexCodec, ValueCodec
from freezepack.errors import CorruptError, FormatError, LimitError
from freezepack.format.constants import MAX_LENGTH, MAX_RANK, MAX_TENSORS, SMALL_MODEL
from freezepack.format.cursor import Cursor
from freezepack.format.layout import layout_of
from freezepack.format.names import read_name
from freezepack.format.tables import Kind, TensorRecord, UnitEntry
from freezepack.types import Base, Draw, Init, TensorSpec, ZerosBase

MAX_STREAM = (1 << 63) - 1


@dataclass
class TensorTable:
    """Reads records into `tensors` and `aliases`, and keeps what later rules need."""

    cursor: Cursor
    bases: tuple[Base, ...]
    kinds: tuple[Kind, ...]
    payload_offset: int
    one_checksum: bool
    tensors: dict[str, TensorRecord] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    next_section: int = 0
    rebuilt: int = 0
    kinds_used: int = 0
    _names: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Read the count and all records."""
        self.next_section = self.payload_offset
        for _ in range(self.cursor.varint("tensor_count", MAX_TENSORS)):
            self._read_record()
        if self.kinds_used != len(self.kinds):
            problem = f"{self.kinds_used} of {len(self.kinds)} kinds are used, expected all"
            raise CorruptError("tensor_kind", self.cursor.offset, problem)

    def _read_record(self) -> None:
        cursor = self.cursor
        offset = cursor.offset
        number = cursor.varint("tensor_kind")
        if number > min(len(self.kinds), self.kinds_used + 1):
            problem = (
                f"kind {number}, expected at most {self.kinds_used + 1}, in order of first use"
            )
            raise CorruptError("tensor_kind", offset, problem)
        name = read_name(cursor, self._names[-1] if self._names else "")
        self._names.append(name)
        try:
            if number:
                self.kinds_used = max(self.kinds_used, number)
                self.tensors[name] = self._read_tensor(name, self.kinds[number - 1])
            else:
                self.aliases[name] = self._read_target()
        except FormatError as error:
            raise error.of(name) from None

    def _read_target(self) -> str:
        offset = self.cursor.offset
        target = self.cursor.varint("alias_target")
        if target >= len(self._names) - 1 or self._names[target] not in self.tensors:
            problem = f"record {target} is not an earlier tensor that owns its bytes"
            raise CorruptError("alias_target", offset, problem)
        return self._names[target]

    def _read_tensor(self, name: str, kind: Kind) -> TensorRecord:
        spec = TensorSpec(name, self._read_shape(kind), kind.dtype)
        self.rebuilt += spec.nbytes
        if self.rebuilt > MAX_LENGTH:
            problem = f"{self.rebuilt} rebuilt bytes, expected at most {MAX_LENGTH}"
            raise LimitError("dimension", self.cursor.offset, problem)
        init = self._read_init(kind)
        values = value_codec_by_id(kind.value_codec)
        parameter = self.cursor.take(values.parameter_length(kind.dtype), "value_parameter")
        start = self.next_section
        units, trained = self._read_units(spec, kind)
        base = self.bases[kind.base - 1] if kind.base else ZerosBase()
        nbytes = self.next_section - start
        return TensorRecord(
            spec, kind, base, init, parameter, units, start, nbytes, trained, digest=None
        )

    def _read_shape(self, kind: Kind) -> tuple[int, ...]:
        rank = self.cursor.varint("rank", MAX_RANK)
        offset = self.cursor.offset
        shape = tuple(self.cursor.varint("dimension") for _ in range(rank))
        if prod(d for d in shape if d) * kind.dtype.itemsize > MAX_LENGTH:
            problem = f"shape {list(shape)} needs more than {MAX_LENGTH} bytes"
            raise LimitError("dimension", offset, problem)
        return shape

    def _read_init(self, kind: Kind) -> Init | None:
        if kind.draw is None:
            stream = self._read_stream(kind) if kind.mask_base else 0
            return Init(Draw.constant, 0, 0, stream) if kind.mask_base else None
        offset = self.cursor.offset
        init = Init(kind.draw, self.cursor.unsigned(4, "scale"))
        problem = init.problem()
        if problem:
            raise CorruptError("scale", offset, problem)
        if kind.draw == Draw.truncated_normal:
            offset = self.cursor.offset
            init = replace(init, tail=self.cursor.unsigned(4, "tail"))
            if not init.tail:
                raise CorruptError("tail", offset, "found 0, expected 1 to 4294967295")
        return replace(init, stream=self._read_stream(kind))

    def _read_stream(self, kind: Kind) -> int:
        if not kind.explicit_stream:
            return len(self.tensors)
        return self.cursor.varint("stream", MAX_STREAM)

    def _read_units(self, spec: TensorSpec, kind: Kind) -> tuple[tuple[UnitEntry, ...] | None, int]:
        """Read what the table stores for each unit; return it and the trained count."""
        index = index_codec_by_id(kind.index_codec)
        values = value_codec_by_id(kind.value_codec)
        trained = {"none": 0, "all": spec.size}.get(index.name)
        if trained is not None:
            fixed = values.fixed_length(kind.dtype, trained)
            if not trained or (fixed is not None and (self.one_checksum or not fixed)):
                self._check_kind(kind, spec, trained)
                self.next_section += fixed or 0
                return None, trained
        layout = layout_of(spec.shape)
        if layout.units > self.cursor.left:
            problem = f"{self.cursor.left} header bytes left for {layout.units} units"
            raise CorruptError("count", self.cursor.offset, problem)
        entries = tuple(
            self._read_unit(kind, index, values, layout.unit_size(number))
            for number in range(layout.units)
        )
        total = sum(entry.count for entry in entries)
        self._check_kind(kind, spec, total)
        return entries, total

    def _read_unit(self, kind: Kind, index: IndexCodec, values: ValueCodec, size: int) -> UnitEntry:
        cursor = self.cursor
        count = size
        if index.name != "all":
            offset = cursor.offset
            count = cursor.varint("count")
            if count > size:
                problem = f"{count} trained positions in a unit of {size}"
                raise CorruptError("count", offset, problem)
        index_length = index.fixed_length(size, count) if 0 < count < size else 0
        if index_length is None:
            index_length = cursor.varint("index_length")
        values_length = values.fixed_length(kind.dtype, count) if count else 0
        if values_length is None:
            values_length = cursor.varint("values_length")
        start = self.next_section
        self.next_section += index_length + values_length
        checksum = None
        if not self.one_checksum and self.next_section > start:
            checksum = cursor.unsigned(4, "unit_checksum")
        return UnitEntry(count, start, index_length, values_length, checksum)

    def _check_kind(self, kind: Kind, spec: TensorSpec, trained: int) -> None:
        """Hold a tensor to the canonical choice of codecs for nothing and everything."""
        wanted = "none" if not trained else "all" if trained == spec.size else ""
        name = index_codec_by_id(kind.index_codec).name
        if wanted != (name if name in ("none", "all") else ""):
            problem = f"{trained} of {spec.size} are trained, which index codec {name} may not code"
            raise CorruptError("count", self.cursor.offset, problem)
        if not trained and kind.value_codec:
            problem = f"value codec {kind.value_codec} where nothing is trained, expected 0"
            raise CorruptError("value_codec", self.cursor.offset, problem)

    def read_digests(self) -> int | None:
        """Read one digest for the whole model, or one for each tensor."""
        if self.one_checksum and self.rebuilt <= SMALL_MODEL:
            return self.cursor.unsigned(8, "digest")
        for name, record in self.tensors.items():
            self.tensors[name] = replace(record, digest=self.cursor.unsigned(8, "digest"))
        return None
