"""Reading the tensor table: one record after another, then the digests."""

from dataclasses import dataclass, field, replace

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.errors import CorruptError, FormatError, LimitError
from freezepack.format.constants import MAX_LENGTH, MAX_RANK, MAX_TENSORS, SMALL_MODEL
from freezepack.format.cursor import Cursor
from freezepack.format.names import read_name
from freezepack.format.read_units import read_units
from freezepack.format.tables import Kind, TensorRecord
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
    aliases: dict[str, str] = field(default_factory=dict)
    rebuilt: int = 0
    _names: list[str] = field(default_factory=list)
    _kinds_used: int = 0

    def read(self) -> None:
        """Read the count and all records."""
        offset = self.cursor.offset
        for _ in range(self.cursor.varint("tensor_count", MAX_TENSORS)):
            self._read_record()
        if self._kinds_used != len(self.kinds):
            problem = f"records use {self._kinds_used} of {len(self.kinds)} kinds, expected all"
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
            self.tensors[name] = replace(record, digest=self.cursor.unsigned(8, "digest"))
        return None

    def _read_record(self) -> None:
        offset = self.cursor.offset
        number = self.cursor.varint("tensor_kind")
        if number > len(self.kinds):
            problem = f"kind {number} of a table with {len(self.kinds)} entries"
            raise CorruptError("tensor_kind", offset, problem)
        if number > self._kinds_used + 1:
            problem = f"kind {number} is used before kind {self._kinds_used + 1}"
            raise CorruptError("tensor_kind", offset, problem)
        self._kinds_used = max(self._kinds_used, number)
        name = read_name(self.cursor, self._names[-1] if self._names else "")
        self._names.append(name)
        try:
            if number:
                self.tensors[name] = self._read_tensor(name, self.kinds[number - 1], offset)
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

    def _read_tensor(self, name: str, kind: Kind, offset: int) -> TensorRecord:
        spec = TensorSpec(name, self._read_shape(kind), kind.dtype)
        init = self._read_init(kind)
        values = value_codec_by_id(kind.value_codec)
        parameter = self.cursor.take(values.parameter_length(kind.dtype), "value_parameter")
        start = self.next_section
        units, trained, nbytes = read_units(self.cursor, spec, kind, start, self.one_checksum)
        self.next_section += nbytes
        _check_index_codec(kind, spec, trained, offset)
        base = self.bases[kind.base - 1] if kind.base else ZerosBase()
        return TensorRecord(
            spec, kind, base, init, parameter, units, start, nbytes, trained, digest=None
        )

    def _read_shape(self, kind: Kind) -> tuple[int, ...]:
        """Read rank and dimensions; neither this tensor nor all may pass the limit on bytes."""
        start = self.cursor.offset
        shape: list[int] = []
        nbytes = kind.dtype.itemsize
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

    def _read_init(self, kind: Kind) -> Init | None:
        if kind.draw is None:
            return Init(Draw.constant, 0, 0, self._read_stream(kind)) if kind.mask_base else None
        truncated = kind.draw == Draw.truncated_normal
        offset = self.cursor.offset
        init = Init(kind.draw, self.cursor.unsigned(4, "scale"), tail=int(truncated))
        problem = find_init_problem(init) or find_range_problem(init, kind.dtype)
        if problem:
            raise CorruptError("scale", offset, problem)
        if truncated:
            offset = self.cursor.offset
            init = replace(init, tail=self.cursor.unsigned(4, "tail"))
            if not init.tail:
                raise CorruptError("tail", offset, "found 0, expected 1 to 4294967295")
        return replace(init, stream=self._read_stream(kind))

    def _read_stream(self, kind: Kind) -> int:
        return self.cursor.varint("stream") if kind.explicit_stream else len(self.tensors)


def _check_index_codec(kind: Kind, spec: TensorSpec, trained: int, offset: int) -> None:
    """Nothing trained is `none`, everything `all`, and neither stands for anything else."""
    wanted = "none" if not trained else "all" if trained == spec.size else ""
    name = index_codec_by_id(kind.index_codec).name
    if wanted != (name if name in ("none", "all") else ""):
        problem = f"{trained} of {spec.size} are trained, which {name} may not code"
        raise CorruptError("tensor_kind", offset, problem)
