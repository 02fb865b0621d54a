"""A mask is information, a wrong claim is refused, and the smallest form wins."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from freezepack import native
from freezepack.errors import BaseDriftError, CheckpointError, UnknownNameError
from freezepack.format.reader import PackReader
from freezepack.pack.claims import Claim
from freezepack.pack.packer import Packed, pack_arrays
from freezepack.random import fill_raw, make_init
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import Draw, DType, Init, RawArray, SeedBase, TensorSpec, ZerosBase
from tests.robustness.loading import uncoded

SHAPE = (40, 50)
SPEC = TensorSpec("w", SHAPE, DType.float32)
INIT = make_init("normal", 0.05)
Arrays = dict[str, tuple[TensorSpec, RawArray]]


def seeded() -> NDArray[np.uint32]:
    raw = np.empty(SPEC.size, np.uint32)
    fill_raw(raw, SPEC.dtype, key=7, init=INIT)
    return raw


def pack(raw: RawArray, claim: Claim | None = None, **options: Any) -> Packed:
    return pack_arrays({"w": (SPEC, raw)}, claims={"w": claim} if claim else {}, **options)


def rebuilt(packed: Packed) -> RawArray:
    with PackReader(b"".join(packed.pieces)) as reader:
        return Rebuilder(reader).tensor("w")


def mask_of(*positions: int) -> NDArray[np.bool_]:
    mask = np.zeros(SHAPE, np.bool_)
    mask.flat[list(positions)] = True
    return mask


def test_a_trained_entry_that_equals_its_base_is_stored_as_trained() -> None:
    raw = seeded()
    raw[100] ^= 1
    tensor = pack(raw, Claim(SeedBase(7), INIT, mask_of(3, 100, 1999))).report.tensors[0]
    assert (tensor.base, tensor.trained, tensor.changed) == ("seed", 3, 1)


def test_without_a_mask_the_difference_is_stored() -> None:
    raw = seeded()
    raw[[5, 100]] ^= 1
    packed = pack(raw, Claim(SeedBase(7), INIT))
    tensor = packed.report.tensors[0]
    assert (tensor.base, tensor.trained, tensor.changed) == ("seed", 2, 2)
    assert packed.report.nbytes < 100
    assert rebuilt(packed).tolist() == raw.tolist()


def test_a_frozen_entry_that_moved_is_reported_with_its_count() -> None:
    raw = seeded()
    raw[[5, 100, 7]] ^= 1
    wanted = r"'w': 2 of 2,000 entries differ from the base outside the mask.*another --base"
    with pytest.raises(BaseDriftError, match=wanted):
        pack(raw, Claim(SeedBase(7), INIT, mask_of(7)))


def test_a_supermask_stores_no_values() -> None:
    raw = seeded()
    gone = np.flatnonzero(np.random.default_rng(1).random(SPEC.size) < 0.5)
    raw[gone] = 0
    tensor = pack(raw, Claim(SeedBase(7), INIT, mask_of(*gone.tolist()))).report.tensors[0]
    assert tensor.values == "constant"
    assert tensor.value_bytes == 4
    assert tensor.index_bytes <= 250


def test_a_wrong_seed_is_no_worse_than_none() -> None:
    raw = seeded()
    none, wrong = pack(raw), pack(raw, Claim(SeedBase(8), INIT))
    assert wrong.report.nbytes == none.report.nbytes
    tensor = wrong.report.tensors[0]
    assert (tensor.base, tensor.index, tensor.trained) == ("zeros", "all", 2000)
    assert tensor.changed == 2000


def test_a_zero_among_many_values_is_stored_as_a_value_where_that_is_smaller() -> None:
    spec = TensorSpec("w", (9,), DType.uint8)
    few = np.array([1, 2, 3, 0, 5, 6, 7, 8, 9], np.uint8)
    tensor = pack_arrays({"w": (spec, few)}).report.tensors[0]
    assert (tensor.index, tensor.trained, tensor.changed) == ("all", 9, 8)
    many = np.random.default_rng(0).integers(1, 2**32, SPEC.size, np.uint32)
    many[[3, 500]] = 0
    tensor = pack(many, values="raw").report.tensors[0]
    assert (tensor.index, tensor.trained, tensor.changed) == ("gaps", 1998, 1998)


def test_zeros_alone_cost_nothing_and_a_constant_almost_nothing() -> None:
    nothing = pack(np.zeros(SPEC.size, np.uint32)).report.tensors[0]
    assert (nothing.index, nothing.values, nothing.trained) == ("none", "raw", 0)
    ones = np.full(SPEC.size, 0x3F800000, np.uint32)
    constant = pack(ones).report.tensors[0]
    assert (constant.index, constant.values, constant.value_bytes) == ("all", "constant", 4)
    claimed = pack(ones, Claim(SeedBase(1), make_init("constant", 1.0))).report.tensors[0]
    assert (claimed.base, claimed.trained) == ("seed", 0)


def test_a_seed_that_draws_zeros_is_written_as_zeros() -> None:
    raw = np.zeros(SPEC.size, np.uint32)
    claim = Claim(SeedBase(1), make_init("constant", 0.0), mask_of())
    assert pack(raw, claim).report.tensors[0].base == "zeros"


@pytest.mark.parametrize("index", ["bitmap", "gaps"])
def test_an_index_codec_can_be_named(index: str) -> None:
    raw = seeded()
    raw[::9] ^= 1
    packed = pack(raw, Claim(SeedBase(7), INIT), index=index, values="raw")
    tensor = packed.report.tensors[0]
    assert (tensor.index, tensor.values) == (index, "raw")
    assert tensor.value_bytes == 4 * tensor.trained
    assert rebuilt(packed).tolist() == raw.tolist()


def test_a_named_codec_that_cannot_do_it_gives_way() -> None:
    raw = seeded()
    raw[[1, 2]] ^= np.array([1, 2], np.uint32)
    packed = pack(raw, Claim(SeedBase(7), INIT), index="seeded", values="constant")
    assert packed.report.tensors[0].index != "seeded"
    assert packed.report.tensors[0].values != "constant"
    assert rebuilt(packed).tolist() == raw.tolist()


def test_fast_leaves_out_adaptive_codecs() -> None:
    from freezepack.codecs import INDEX_CODECS, VALUE_CODECS

    raw = seeded()
    raw[::7] ^= 1
    tensor = pack(raw, Claim(SeedBase(7), INIT), index="fast").report.tensors[0]
    assert not INDEX_CODECS.get_part(tensor.index).adaptive
    assert not VALUE_CODECS.get_part(tensor.values).adaptive


FLOATS = (DType.float32, DType.float16, DType.bfloat16, DType.float64)


@pytest.mark.parametrize("index", ["small", "fast"])
@pytest.mark.parametrize("dtype", list(DType))
def test_no_default_depends_on_a_library(dtype: DType, index: str) -> None:
    spec = TensorSpec("w", (600,), dtype)
    # Few exponents or few high bytes: byte planes would shrink all of these.
    width = 8 if dtype in (DType.complex64, DType.complex128) else dtype.itemsize
    count = 600 * dtype.itemsize // width
    low = np.random.default_rng(1).integers(1, 8, count, np.uint64)
    plain = (low | np.uint64(0x3C << (8 * width - 8))) if width > 1 else low
    raw = plain.astype(f"<u{width}").view(dtype.raw)
    arrays = {"w": (spec, raw)}
    tensor = pack_arrays(arrays, index=index).report.tensors[0]
    assert tensor.values == ("float" if dtype in FLOATS and index == "small" else "raw")
    named = pack_arrays(arrays, index=index, values="planes").report.tensors[0]
    assert named.values == "planes"
    assert named.value_bytes < spec.nbytes


def test_packing_needs_no_zstandard() -> None:
    code = (
        "import sys, numpy, freezepack.numpy as f;"
        "f.save({'w': numpy.arange(100, dtype='f4'), 'n': numpy.arange(100)});"
        "assert 'zstandard' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_codecs_are_named() -> None:
    with pytest.raises(UnknownNameError, match=r"no index codec named 'gap'\. Did you mean 'gaps'"):
        pack(seeded(), index="gap")
    with pytest.raises(UnknownNameError, match="no value codec named 'rwa'"):
        pack(seeded(), values="rwa")


def test_claims_must_fit_the_tensors() -> None:
    with pytest.raises(CheckpointError, match="a claim is for no tensor of the model: v"):
        pack_arrays({"w": (SPEC, seeded())}, claims={"v": Claim()})
    with pytest.raises(CheckpointError, match=r"has shape \[2, 2\], expected \[40, 50\]"):
        pack(seeded(), Claim(mask=np.ones((2, 2), np.bool_)))
    with pytest.raises(ValueError, match="'w': 5 elements of uint32 are not the tensor"):
        pack(np.zeros(5, np.uint32))


def test_a_name_that_no_file_may_hold_is_refused() -> None:
    spec = TensorSpec("__metadata__", (1,), DType.uint8)
    with pytest.raises(CheckpointError, match="__metadata__"):
        pack_arrays({spec.name: (spec, np.zeros(1, np.uint8))})


def test_metadata_aliases_and_the_partial_mark_are_kept() -> None:
    packed = pack_arrays(
        {"a": (TensorSpec("a", (2,), DType.uint8), np.array([1, 2], np.uint8))},
        aliases={"b": "a"},
        metadata={"score": "snip", "note": "ok"},
        partial=True,
    )
    with PackReader(b"".join(packed.pieces)) as reader:
        assert reader.header.aliases == {"b": "a"}
        assert reader.header.metadata == {"score": "snip", "note": "ok"}
        assert reader.header.partial
        assert Rebuilder(reader).tensor("b").tolist() == [1, 2]


def test_streams_at_the_table_position_cost_nothing() -> None:
    arrays: Arrays = {}
    claims: dict[str, Claim] = {}
    for stream, name in enumerate("abcd"):
        spec = TensorSpec(name, SHAPE, DType.float32)
        init = make_init("normal", 0.05, stream=stream)
        raw = np.empty(spec.size, np.uint32)
        fill_raw(raw, spec.dtype, key=7, init=init)
        arrays[name] = spec, raw
        claims[name] = Claim(SeedBase(7), init, np.zeros(SHAPE, np.bool_))
    packed = pack_arrays(arrays, claims=claims)
    report = packed.report
    assert report.trained == 0
    # As it stands in a header that is not coded: name, terminator, prefix, kind, rank, two
    # dimensions and scale are 11 bytes for each.
    assert report.sizes["tensors"] == 17
    header = PackReader(uncoded(b"".join(packed.pieces))).header
    assert header.sizes["tensors"] == 4 * 11 + 1


def test_a_kind_is_given_up_where_it_costs_more_than_it_saves() -> None:
    arrays: Arrays = {}
    rng = np.random.default_rng(3)
    for name in "abcdefgh":
        spec = TensorSpec(name, (200,), DType.uint8)
        raw = np.zeros(200, np.uint8)
        raw[rng.choice(200, 20, replace=False)] = rng.integers(1, 256, 20)
        arrays[name] = spec, raw
    one = TensorSpec("z", (9,), DType.uint8)
    arrays["z"] = one, np.array([0, 1, 2, 0, 3, 4, 0, 5, 6], np.uint8)
    report = pack_arrays(arrays).report
    assert len({(tensor.index, tensor.values) for tensor in report.tensors}) == 1


def test_zeros_claims_keep_the_mask_of_a_pruned_network() -> None:
    raw = np.zeros(SPEC.size, np.uint32)
    raw[[4, 9]] = 5
    place = Init(Draw.constant, 0, 0, 0)
    claim = Claim(ZerosBase(), place, mask_of(4, 9, 10), SeedBase(7))
    tensor = pack(raw, claim).report.tensors[0]
    assert (tensor.base, tensor.trained, tensor.changed) == ("zeros", 3, 2)


@pytest.mark.parametrize(
    ("size", "index", "kernel", "lines"),
    [
        (9, "small", False, 0),
        (12, "small", False, 1),
        (12, "fast", False, 0),
        (12, "small", True, 0),
    ],
)
def test_packing_without_the_kernel_is_said_to_take_long_once(
    *,
    size: int,
    index: str,
    kernel: bool,
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("freezepack.pack.packer.SLOW_POSITIONS", 10)
    if not kernel:
        monkeypatch.setenv("FREEZEPACK_NATIVE", "0")
    elif native.library() is None:
        pytest.skip("no kernel here")
    parts = (TensorSpec("a", (2,), DType.uint8), TensorSpec("b", (size - 2,), DType.uint8))
    pack_arrays({s.name: (s, np.ones(s.size, np.uint8)) for s in parts}, index=index)
    assert len(caplog.messages) == lines
    if lines:
        wanted = "packing 12 entries without the C++ kernel may take minutes (numpy: FREEZEPACK_"
        assert caplog.messages[0].startswith(wanted)
        assert caplog.messages[0].endswith("; index 'fast' is quicker")
