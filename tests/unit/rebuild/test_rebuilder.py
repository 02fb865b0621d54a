"""Tensors come out checked, within limits, and only from the right base."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from freezepack.errors import BaseMismatchError, CorruptError, LimitError
from freezepack.format.cursor import varint_bytes
from freezepack.format.layout import layout_of
from freezepack.format.preamble import preamble_bytes
from freezepack.format.reader import PackReader
from freezepack.format.source import FileSource
from freezepack.format.writer import EncodedPack, EncodedTensor, EncodedUnit, write_pack
from freezepack.pack.claims import Claim
from freezepack.pack.packer import pack_arrays
from freezepack.random import make_init
from freezepack.rebuild import rebuilder as module
from freezepack.rebuild.bases import ArraysBase, BaseTensors
from freezepack.rebuild.host import NUMPY
from freezepack.rebuild.packed import PackedBase
from freezepack.rebuild.ranges import fill_tensors
from freezepack.rebuild.rebuilder import MAX_CHAIN, Rebuilder
from freezepack.rebuild.unit import UnitPatcher
from freezepack.types import (
    Base,
    Draw,
    DType,
    FileBase,
    Init,
    PackBase,
    RawArray,
    SeedBase,
    TensorSpec,
    ZerosBase,
)

BYTES = TensorSpec("w", (4, 3), DType.uint8)
Arrays = dict[str, tuple[TensorSpec, RawArray]]


def rebuilder(data: bytes, **options: object) -> Rebuilder:
    return Rebuilder(PackReader(data), **options)  # type: ignore[arg-type]


def packed(arrays: Arrays, claims: Mapping[str, Claim] | None = None, **options: object) -> bytes:
    return b"".join(pack_arrays(arrays, claims=claims, **options).pieces)  # type: ignore[arg-type]


def counted(start: int = 1) -> Arrays:
    return {"w": (BYTES, np.arange(start, start + 12, dtype=np.uint8))}


def promise(spec: TensorSpec, base: Base, init: Init | None = None, digest: int = 0) -> bytes:
    """Return a pack that stores nothing and promises a tensor."""
    units = tuple(EncodedUnit(0) for _ in range(layout_of(spec.shape).units))
    tensor = EncodedTensor(spec, base, init, 0, 0, units, digest)
    return b"".join(write_pack(EncodedPack([tensor], coded=False)))


def test_a_tensor_and_its_elements_are_made() -> None:
    made = rebuilder(packed(counted()))
    assert made.tensor("w").tolist() == list(range(1, 13))
    assert made.elements("w", 3, 7).tolist() == [4, 5, 6, 7]
    assert made.elements("w", 12, 12).tolist() == []
    with pytest.raises(ValueError, match="elements 3 to 13 of 'w', which has 12"):
        made.elements("w", 3, 13)
    with pytest.raises(KeyError):
        made.tensor("v")


def test_a_tensor_is_made_in_given_memory() -> None:
    made = rebuilder(packed(counted()))
    place = np.zeros(14, np.uint8)
    made.fill_tensor("w", place[1:13])
    assert place.tolist() == [0, *range(1, 13), 0]


def test_several_tensors_are_made_in_given_memory() -> None:
    spec = TensorSpec("v", (3,), DType.float16)
    arrays = {"v": (spec, np.array([5, 6, 7], np.uint16)), **counted()}
    outs: dict[str, RawArray] = {"w": np.zeros(12, np.uint8), "v": np.zeros(3, np.uint16)}
    made = rebuilder(packed(arrays))
    made.fill_tensors(outs)
    assert outs["w"].tolist() == list(range(1, 13))
    assert outs["v"].tolist() == [5, 6, 7]
    made.fill_tensors({})
    first = np.zeros(3, np.uint16)
    with pytest.raises(ValueError, match=r"shape \(1,\) for 'w'"):
        made.fill_tensors({"v": first, "w": np.zeros(1, np.uint8)})
    assert not first.any()


def test_a_whole_load_has_the_file_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TensorSpec("w", (2**17,), DType.uint8)
    raw = np.random.default_rng(0).integers(0, 256, spec.size).astype(np.uint8)
    path = tmp_path / "w.fpk"
    path.write_bytes(packed({"w": (spec, raw)}, values="raw"))
    expected = []
    monkeypatch.setattr(FileSource, "expect", lambda _, *place: expected.append(place))
    with PackReader(path) as reader:
        made = Rebuilder(reader)
        made.elements("w", 5, 6)
        assert not expected
        assert made.tensors()["w"].tolist() == raw.tolist()
        made.fill_tensor("w", np.zeros(spec.size, np.uint8))
        made.verify()
        start = reader.header.file_size - spec.size
    assert expected == [(start, spec.size)] * 3


def test_a_check_of_all_takes_a_few_units_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        name: (TensorSpec(name, (2**15,), DType.uint8), rng.integers(0, 256, 2**15, np.uint8))
        for name in "abcde"
    }
    data = bytearray(packed(arrays, values="raw"))
    calls: list[list[str]] = []

    def watched(patchers: list[UnitPatcher], outs: list[RawArray | None]) -> list[int]:
        calls.append([patcher.record.spec.name for patcher in patchers])
        return fill_tensors(patchers, outs)

    monkeypatch.setattr(module, "fill_tensors", watched)
    monkeypatch.setattr(module, "_UNITS", 2)
    made = rebuilder(bytes(data))
    assert made.header.digest is None
    made.verify()
    assert calls == [["a", "b"], ["c", "d"], ["e"]]
    calls.clear()
    data[-(2**16) - 1] ^= 1  # the last of "c"
    with pytest.raises(CorruptError, match="of 'c'"):
        rebuilder(bytes(data)).verify()
    assert calls == [["a", "b"], ["c", "d"]]


def test_memory_of_another_form_is_refused() -> None:
    made = rebuilder(packed(counted()), max_bytes=12)
    locked = np.zeros(12, np.uint8)
    locked.flags.writeable = False
    problems: dict[str, RawArray] = {
        r"uint8 and shape \(11,\) for 'w', expected uint8 and \(12,\)": np.zeros(11, np.uint8),
        "dtype uint16": np.zeros(12, np.uint16),
        "not contiguous and writeable for 'w': fill a copy": np.zeros(24, np.uint8)[::2],
        "not contiguous and writeable": locked,
    }
    for problem, out in problems.items():
        with pytest.raises(ValueError, match=problem):
            made.fill_tensor("w", out)
        assert not out.any()
    with pytest.raises(LimitError):
        rebuilder(packed(counted()), max_bytes=11).fill_tensor("w", np.zeros(12, np.uint8))


def test_the_limit_holds_before_anything_is_made() -> None:
    data = packed(counted())
    assert rebuilder(data, max_bytes=12).tensor("w").size == 12
    small = rebuilder(data, max_bytes=11)
    wanted = r"12 bytes when rebuilt, more than max_bytes = 11; .*--max-bytes"
    for call in (lambda: small.tensor("w"), small.check_limit, lambda: small.check_limit(["w"])):
        with pytest.raises(LimitError, match=wanted):
            call()
    assert small.elements("w", 0, 11).size == 11
    with pytest.raises(LimitError, match="of 'w' at byte"):
        small.elements("w", 0, 12)


def test_a_hundred_bytes_that_ask_for_a_petabyte_are_refused_at_once() -> None:
    small = promise(TensorSpec("w", (2, 2), DType.uint8), ZerosBase())
    rank_and_shape = bytes([2]) + varint_bytes(2**25) * 2
    with PackReader(small) as reader:
        start = reader.header.sizes["preamble"]
    header = small[start:].replace(bytes([2, 2, 2]), rank_and_shape)
    data = preamble_bytes(0, header, [], 0) + header
    assert len(data) < 60
    made = rebuilder(data)
    for call in (made.verify, lambda: made.tensor("w")):
        with pytest.raises(LimitError, match="1,125,899,906,842,624 bytes when rebuilt"):
            call()


def test_many_tensors_count_together() -> None:
    arrays = {n: (TensorSpec(n, (8,), DType.uint8), np.zeros(8, np.uint8)) for n in "abc"}
    small = rebuilder(packed(arrays), max_bytes=20)
    with pytest.raises(LimitError, match="24 bytes when rebuilt"):
        small.check_limit()
    small.check_limit(["a", "b", "a"])


@pytest.mark.parametrize("size", [10, 2**25])
def test_a_wrong_digest_is_corrupt(size: int) -> None:
    spec = TensorSpec("w", (size,), DType.uint8)
    made = rebuilder(promise(spec, ZerosBase(), digest=0x123))
    with pytest.raises(CorruptError, match="computed"):
        made.tensor("w")
    with pytest.raises(CorruptError, match="computed"):
        made.fill_tensor("w", np.empty(size, np.uint8))
    with pytest.raises(CorruptError, match="digest") as caught:
        made.verify()
    assert caught.value.offset == made.header.file_size - 8
    # A part cannot be compared with a digest of the whole.
    assert made.elements("w", 0, 3).tolist() == [0, 0, 0]


def test_a_missing_base_is_named() -> None:
    base = ArraysBase(counted(9))
    claims = {"w": Claim(FileBase(base.digest, "old.safetensors"))}
    data = packed(counted(), claims, bases=[base])
    wanted = (
        f"needs the base 'old.safetensors' with content digest {base.digest:016x}: "
        r"give it with --base PATH \(base=PATH\)"
    )
    with pytest.raises(BaseMismatchError, match=wanted):
        rebuilder(data).tensor("w")


def external(start: int, changed: int) -> tuple[Arrays, ArraysBase, bytes]:
    """Return arrays that differ in one entry from a base, the base, and their pack."""
    old = counted(start)
    new = {"w": (BYTES, old["w"][1].copy())}
    new["w"][1][changed] = 77
    base = ArraysBase(old)
    data = packed(new, {"w": Claim(FileBase(base.digest, "old"))}, bases=[base])
    return new, base, data


def test_a_tensor_is_made_from_its_base_and_from_no_other() -> None:
    new, base, data = external(1, changed=5)
    other = ArraysBase(counted(2))
    for bases in ([base], [other, base]):
        made = rebuilder(data, bases=bases)
        assert made.tensor("w").tolist() == new["w"][1].tolist()
        assert made.elements("w", 4, 7).tolist() == [5, 77, 7]
    with pytest.raises(BaseMismatchError, match=f"{base.digest:016x}, found {other.digest:016x}"):
        rebuilder(data, bases=[other]).tensor("w")


def test_a_base_without_the_tensor_or_in_another_form_is_refused() -> None:
    base = ArraysBase(counted())
    with pytest.raises(BaseMismatchError, match="the base has no tensor 'v'"):
        base.read(TensorSpec("v", (4, 3), DType.uint8), 0, 1)
    with pytest.raises(
        BaseMismatchError, match=r"'w' is uint8 \[4, 3\] in the base, expected int8"
    ):
        base.read(TensorSpec("w", (4, 3), DType.int8), 0, 1)


def test_packs_stand_on_packs_up_to_the_limit() -> None:
    arrays = counted()
    tensors: BaseTensors = ArraysBase(arrays)
    claim = FileBase(tensors.digest)
    bases: list[Base] = [claim]
    for depth in range(1, MAX_CHAIN + 2):
        raw = arrays["w"][1].copy()
        raw[depth % 12] += 100
        arrays = {"w": (BYTES, raw)}
        if depth > MAX_CHAIN:
            with pytest.raises(BaseMismatchError, match="more than 16 packs"):
                packed(arrays, {"w": Claim(bases[-1])}, bases=[tensors])
            return
        data = packed(arrays, {"w": Claim(bases[-1])}, bases=[tensors])
        made = rebuilder(data, bases=[tensors])
        assert made.tensor("w").tolist() == raw.tolist()
        tensors = PackedBase(made)
        assert tensors.depth == depth
        assert tensors.digest == ArraysBase(arrays).digest
        bases.append(PackBase(tensors.digest))


def test_a_pack_is_a_base_with_per_tensor_digests_too() -> None:
    spec = TensorSpec("w", (2**17,), DType.uint8)
    raw = np.random.default_rng(0).integers(0, 256, spec.size).astype(np.uint8)
    base = PackedBase(rebuilder(packed({"w": (spec, raw)}, index="fast")))
    assert base.digest == ArraysBase({"w": (spec, raw)}).digest
    assert base.read(spec, 5, 8).tolist() == raw[5:8].tolist()
    with pytest.raises(BaseMismatchError, match="no tensor 'v'"):
        base.read(TensorSpec("v", (1,), DType.uint8), 0, 1)


def test_a_mask_from_a_seed_costs_no_bytes() -> None:
    from freezepack.random import smallest_words

    spec = TensorSpec("w", (100, 40), DType.float32)
    init = make_init("normal", 1.0, stream=6)
    raw = np.empty(spec.size, np.uint32)
    NUMPY.fill(raw, spec.dtype, key=5, init=init, start=0)
    positions = smallest_words(5, 2**63 + 6, 0, spec.size, 300)
    raw[positions] ^= np.arange(1, 301, dtype=np.uint32)
    found = pack_arrays({"w": (spec, raw)}, claims={"w": Claim(SeedBase(5), init)})
    assert found.report.tensors[0].index == "seeded"
    assert found.report.tensors[0].index_bytes == 0
    pruned = np.zeros_like(raw)
    pruned[positions] = raw[positions]
    place = Init(Draw.constant, 0, 0, 6)
    claim = Claim(ZerosBase(), place, pruned.astype(np.bool_), SeedBase(5))
    found = pack_arrays({"w": (spec, pruned)}, claims={"w": claim})
    assert found.report.tensors[0].index == "seeded"
    assert found.report.tensors[0].base == "zeros"
    assert rebuilder(b"".join(found.pieces)).tensor("w").tolist() == pruned.tolist()
