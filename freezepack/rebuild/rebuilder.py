"""Tensors of an open pack: whole or by ranges of elements, checked, within a limit."""

from collections.abc import Iterable, Mapping, Sequence
from math import prod

from freezepack.digest import content_digest
from freezepack.errors import BaseMismatchError
from freezepack.format.reader import PackReader
from freezepack.format.tables import TensorRecord
from freezepack.rebuild import choose_backend
from freezepack.rebuild.base import TensorBase
from freezepack.rebuild.bases import BaseTensors, find_base
from freezepack.rebuild.checks import check_bytes, check_out, compare_digests
from freezepack.rebuild.memory import empty_arrays
from freezepack.rebuild.parts import make_part
from freezepack.rebuild.ranges import Range, fill_tensors, group_sizes, make_ranges
from freezepack.rebuild.runs import RunDecoder
from freezepack.rebuild.unit import UnitPatcher
from freezepack.slicing import Index, answer_shape
from freezepack.types import FileBase, PackBase, RawArray

DEFAULT_MAX_BYTES = 1 << 34
"""16 GiB: a few hundred bytes of file may ask for any amount of memory."""
MAX_CHAIN = 16
"""Most packs that may stand behind one another."""
_UNITS = 1 << 10
"""Units that are checked at a time: enough for any number of threads, few enough to be listed."""


class Rebuilder:
    """Makes the tensors of a pack.

    Parameters
    ----------
    reader : PackReader
        The open pack. Stays the caller's, who closes it.
    bases : sequence of BaseTensors
        What the pack may be based on, besides seeds and zeros; found by digest.
    backend : str, optional
        Name in `BACKENDS`; else the environment or the first that works.
    max_bytes : int or None
        Most bytes that one call may make; None for no limit.
    """

    def __init__(
        self,
        reader: PackReader,
        *,
        bases: Sequence[BaseTensors] = (),
        backend: str | None = None,
        max_bytes: int | None = DEFAULT_MAX_BYTES,
    ) -> None:
        self.reader = reader
        self.header = reader.header
        self.max_bytes = max_bytes
        self._bases = bases
        self._backend = choose_backend(backend)
        self._found: dict[FileBase | PackBase, BaseTensors] = {}
        self._digests: dict[str, int] = {}
        self.runs = RunDecoder(reader, self.base_of)

    def record(self, name: str) -> TensorRecord:
        """Return the record of a tensor, of its owner for an alias.

        Raises
        ------
        KeyError
            If the pack has no tensor of that name.
        """
        return self.header.tensors[self.header.aliases.get(name, name)]

    def check_limit(self, names: Iterable[str] | None = None) -> None:
        """Raise LimitError if the tensors, by default all, are more than `max_bytes` together."""
        owners = (
            self.header.tensors.values()
            if names is None
            else {record.spec.name: record for record in map(self.record, names)}.values()
        )
        self._check_bytes(sum(record.spec.nbytes for record in owners))

    def tensor(self, name: str) -> RawArray:
        """Make a whole tensor and compare its digest.

        Raises
        ------
        LimitError
            If it has more than `max_bytes`; nothing is allocated then.
        BaseMismatchError
            If it has a base outside the file that was not given, or the file has one digest for
            all tensors and another has such a base: what was not compared is not given out.
        FormatError
            If the file is damaged.
        """
        record = self.record(name)
        self._check_bytes(record.spec.nbytes, record.spec.name)
        self._check_model_for(record)
        out = empty_arrays([(record.spec.size, record.spec.dtype.raw)])[0]
        self._fill([record], [out])
        return out

    def fill_tensor(self, name: str, out: RawArray) -> None:
        """Make a whole tensor in memory that is there already; as `fill_tensors` for one."""
        self.fill_tensors({name: out})

    def fill_tensors(self, outs: Mapping[str, RawArray]) -> None:
        """Make whole tensors in memory that is there already, and compare their digests.

        Nothing of the tensors' size is allocated. Threads are shared by the units of all.

        Parameters
        ----------
        outs : mapping of name to raw array
            Overwritten. Contiguous, writeable, of the tensor's size and `dtype.raw`, and no two of
            the same memory. After an error they may hold anything.

        Raises
        ------
        ValueError
            If an array is not as described.
        LimitError
            If one tensor has more than `max_bytes`.
        BaseMismatchError, FormatError
            As for `tensor`. A pack with one digest for all is compared before anything changes.
        """
        records = [self.record(name) for name in outs]
        for record, out in zip(records, outs.values(), strict=True):
            check_out(out, record.spec)
            self._check_bytes(record.spec.nbytes, record.spec.name)
        for record in records:
            self._check_model_for(record)
        if len(records) >= len(self.header.tensors):
            self.reader.expect_all()
        self._fill(records, list(outs.values()))

    def tensors(self) -> dict[str, RawArray]:
        """Make all tensors but aliases, in file order, and compare the digests.

        Faster than one after the other: threads are shared by all units, and a pack with one
        digest for all is made once.

        Raises
        ------
        LimitError
            If all together have more than `max_bytes`; nothing is allocated then.
        BaseMismatchError, FormatError
            As for `tensor`.
        """
        self.check_limit()
        self.reader.expect_all()
        records = self.header.tensors.values()
        outs = empty_arrays([(record.spec.size, record.spec.dtype.raw) for record in records])
        self._compare_all(fill_tensors([self.patcher(record) for record in records], outs))
        return dict(zip(self.header.tensors, outs, strict=True))

    def verify(self) -> None:
        """Make every tensor once and compare the digests; nothing is kept.

        Damage is reported once it is reached, with no more made than some GB behind it.

        Raises
        ------
        LimitError
            If one has more than `max_bytes`; nothing is made then.
        FormatError, BaseMismatchError
            As `tensor` does.
        """
        for name, record in self.header.tensors.items():
            self._check_bytes(record.spec.nbytes, name)
        self.reader.expect_all()
        self._check_model()

    def elements(self, name: str, start: int, stop: int) -> RawArray:
        """Make elements `start` to `stop` - 1 of a tensor, in C order.

        Only the units they lie in are read. Their checksums are compared; a digest is one of the
        whole tensor and cannot be.
        """
        record = self.record(name)
        if not 0 <= start <= stop <= record.spec.size:
            problem = f"elements {start} to {stop} of {name!r}, which has {record.spec.size}"
            raise ValueError(problem)
        self._check_bytes((stop - start) * record.spec.dtype.itemsize, record.spec.name)
        return make_ranges([Range(self.patcher(record), start, stop)])[0]

    def part(self, name: str, index: Index) -> RawArray:
        """Make what an index asks for of a tensor; checked as by `elements`.

        Parameters
        ----------
        index : int, slice, ellipsis, or a tuple of them
            As for an array of NumPy; steps may be negative.

        Returns
        -------
        raw array in the shape of the answer
            With memory of its own. Beside it, one unit in each thread is held for a moment.

        Raises
        ------
        IndexError, TypeError
            If there are too many indices, one is out of range, or of another type.
        LimitError
            If the answer has more than `max_bytes`.
        BaseMismatchError, FormatError
            If the tensor's base was not given, or a unit is damaged.
        """
        spec = self.record(name).spec
        size = prod(answer_shape(spec.shape, index))
        self._check_bytes(size * spec.dtype.itemsize, spec.name)
        return make_part(self.patcher(self.record(name)), index)

    def find(self, base: FileBase | PackBase) -> BaseTensors:
        """Return the tensors of a base outside the file, or raise BaseMismatchError."""
        if base not in self._found:
            found = find_base(base, self._bases)
            if found.depth >= MAX_CHAIN:
                raise BaseMismatchError(f"the chain has more than {MAX_CHAIN} packs")
            self._found[base] = found
        return self._found[base]

    def base_of(self, record: TensorRecord) -> TensorBase:
        """Return the base of a tensor, ready to be made."""
        base = record.base
        tensors = self.find(base) if isinstance(base, FileBase | PackBase) else None
        return TensorBase(record.spec, base, record.init, self._backend, tensors)

    def patcher(self, record: TensorRecord) -> UnitPatcher:
        """Return what decodes the patch of a tensor."""
        return UnitPatcher(self.reader, record, self.base_of(record), self.runs)

    def count_trained(self, record: TensorRecord) -> int:
        """Return how many entries of a tensor are trained; a run is decoded for that.

        Raises
        ------
        LimitError
            If a tensor in runs has more than `max_bytes`: decoding takes as long as making it.
        FormatError
            If a run is damaged.
        """
        if record.trained is None:
            self._check_bytes(record.spec.nbytes, record.spec.name)
        return self.runs.count(record)

    def _fill(self, records: Sequence[TensorRecord], outs: Sequence[RawArray | None]) -> None:
        """Make tensors in `outs` and compare their digests, which are known; None keeps nothing."""
        found = fill_tensors([self.patcher(record) for record in records], outs)
        for record, value in zip(records, found, strict=True):
            name = record.spec.name
            self._compare(
                self._digests[name] if record.digest is None else record.digest, value, name
            )

    def _check_model_for(self, record: TensorRecord) -> None:
        """Compare a digest that stands for all, once; say why another's base may be needed."""
        if record.digest is not None or self._digests:
            return
        try:
            self._check_model()
        except BaseMismatchError as error:
            if isinstance(record.base, FileBase | PackBase):
                raise
            reason = (
                f"{record.spec.name!r} does not use it, but the file has one digest for all its "
                "tensors, which cannot be compared without it; get_slice compares checksums only"
            )
            raise BaseMismatchError(f"{error}. {reason}") from None

    def _check_model(self) -> None:
        """Compare the digests of all tensors, of which none is kept."""
        records = list(self.header.tensors.values())
        if self.header.digest is not None:
            patchers = [self.patcher(record) for record in records]
            self._compare_all(fill_tensors(patchers, [None] * len(patchers)))
            return
        for first, end in group_sizes([record.layout.units for record in records], _UNITS):
            self._fill(records[first:end], [None] * (end - first))

    def _compare_all(self, found: Sequence[int]) -> None:
        """Compare the digests of all tensors, in file order, with those of the header."""
        records = self.header.tensors
        if self.header.digest is not None:
            pairs = zip(records.values(), found, strict=True)
            whole = content_digest((record.spec, value) for record, value in pairs)
            self._compare(self.header.digest, whole, "")
            self._digests = dict(zip(records, found, strict=True))
            return
        for (name, record), value in zip(records.items(), found, strict=True):
            self._compare(record.digest or 0, value, name)

    def _compare(self, wanted: int, found: int, name: str) -> None:
        compare_digests(self.header, wanted, found, name)

    def _check_bytes(self, nbytes: int, name: str = "") -> None:
        check_bytes(self.header, nbytes, self.max_bytes, name)
