"""Every golden file is accepted, holds what stands beside it, and rebuilds to the same bits."""

import hashlib
from typing import Any

import pytest

from freezepack.codecs import INDEX_CODECS, VALUE_CODECS, index_codec_by_id, value_codec_by_id
from freezepack.format.reader import PackReader
from freezepack.format.tables import TensorRecord
from freezepack.rebuild import BACKENDS, choose_backend
from freezepack.rebuild.packed import PackedBase
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import Base, Draw, DType, FileBase, PackBase, RawArray, SeedBase
from tests.conformance.vectors import GOLDEN, golden


def show_base(base: Base) -> str:
    if isinstance(base, SeedBase):
        return f"seed {base.seed:016x}"
    if isinstance(base, FileBase | PackBase):
        kind = "file" if isinstance(base, FileBase) else "pack"
        return f"{kind} {base.digest:016x} {base.hint}"
    return "zeros"


def describe(rebuilder: Rebuilder, record: TensorRecord) -> dict[str, Any]:
    header = rebuilder.header
    kind, spec = record.kind, record.spec
    out: dict[str, Any] = {"name": spec.name, "dtype": spec.dtype.name, "shape": list(spec.shape)}
    out["base"] = show_base(record.base)
    if kind.draw is not None and record.init is not None:
        out |= {"draw": kind.draw.name, "scale": f"{record.init.bits:08x}"}
        if kind.draw == Draw.truncated_normal:
            out["tail"] = record.init.tail
    if record.init is not None:
        out["stream"] = record.init.stream
    if kind.mask_base:
        out["mask_base"] = show_base(header.bases[kind.mask_base - 1])
    out["index_codec"] = index_codec_by_id(kind.index_codec).name
    out["value_codec"] = value_codec_by_id(kind.value_codec).name
    alone = not index_codec_by_id(kind.index_codec).shared
    assert (record.trained is not None) == alone
    out["trained"] = rebuilder.count_trained(record)
    return out


def rebuild(name: str, backend: str) -> dict[str, RawArray]:
    data, expected = golden(name)
    bases = []
    if expected["given"]:
        given = PackReader(golden(expected["given"])[0])
        bases.append(PackedBase(Rebuilder(given, backend=backend)))
    rebuilder = Rebuilder(PackReader(data), bases=bases, backend=backend)
    return {name: rebuilder.tensor(name) for name in rebuilder.header.tensors}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_header_says_what_stands_beside_the_file(name: str) -> None:
    data, expected = golden(name)
    rebuilder = Rebuilder(PackReader(data))
    header = rebuilder.header
    assert header.metadata == expected["metadata"]
    assert header.aliases == expected["aliases"]
    assert header.partial == expected["partial"]
    assert sum(header.sizes.values()) == header.file_size == len(data)
    described = ("digest", "sha256", "first")
    wanted = [{k: v for k, v in t.items() if k not in described} for t in expected["tensors"]]
    assert [describe(rebuilder, record) for record in header.tensors.values()] == wanted
    if header.digest is not None:
        assert f"{header.digest:016x}" == expected["content_digest"]
    else:
        digests = [f"{record.digest or 0:016x}" for record in header.tensors.values()]
        assert digests == [tensor["digest"] for tensor in expected["tensors"]]


@pytest.mark.parametrize("backend", sorted(BACKENDS))
@pytest.mark.parametrize("name", GOLDEN)
def test_the_tensors_have_the_expected_bits(name: str, backend: str) -> None:
    problem = BACKENDS.get_part(backend).problem()
    if problem:
        pytest.skip(problem)
    tensors = rebuild(name, backend)
    for expected in golden(name)[1]["tensors"]:
        raw = tensors[expected["name"]]
        size = DType[expected["dtype"]].itemsize
        first = raw[:8].tobytes()
        shown = [first[at : at + size][::-1].hex() for at in range(0, len(first), size)]
        assert shown == expected["first"]
        assert hashlib.sha256(raw.tobytes()).hexdigest() == expected["sha256"]
        assert f"{choose_backend(backend).digest(raw):016x}" == expected["digest"]


def test_the_files_use_everything_the_format_has() -> None:
    records = [
        record for name in GOLDEN for record in PackReader(golden(name)[0]).header.tensors.values()
    ]
    assert {index_codec_by_id(r.kind.index_codec).name for r in records} == set(INDEX_CODECS)
    assert {value_codec_by_id(r.kind.value_codec).name for r in records} == set(VALUE_CODECS)
    assert {r.spec.dtype for r in records} == set(DType)
    assert {r.kind.draw for r in records} == {None, *Draw}
    assert len({type(r.base) for r in records}) == 4


@pytest.mark.parametrize(("name", "size"), [("lenet5-caffe", 177), ("coded-lenet5-caffe", 80)])
def test_the_overhead_of_lenet5_caffe(name: str, size: int) -> None:
    sizes = PackReader(golden(name)[0]).header.sizes
    assert sum(size for part, size in sizes.items() if part not in ("index", "values")) == size
