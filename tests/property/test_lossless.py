"""Whatever is packed comes back bit for bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import freezepack
import freezepack.numpy
import freezepack.torch
from freezepack.format.reader import PackReader
from freezepack.native import library
from freezepack.nn.raw import from_raw, raw_copy
from freezepack.pack.claims import Claim
from freezepack.pack.packer import pack_arrays
from freezepack.random import check_init, fill_raw, make_init
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import DType, Init, RawArray, SeedBase, TensorSpec, ZerosBase

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
SHAPES = st.lists(st.integers(0, 6), max_size=4).map(tuple)
# NaN with a payload, infinity, -0.0, a subnormal, 1.0 and neighbours, as float32 patterns.
ODD = np.array([0x7FC12345, 0xFF800000, 0x80000000, 1, 0x3F800000, 0x3F800001], np.uint32)
Item = tuple[TensorSpec, RawArray, Claim | None]


@st.composite
def raw_arrays(draw: Callable[..., Any], size: int, dtype: DType) -> RawArray:
    kind = draw(st.sampled_from(["zeros", "bytes", "few", "odd"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    data = np.zeros(size * dtype.itemsize, np.uint8)
    if kind == "bytes":
        data[:] = rng.integers(0, 256, data.size)
    elif kind == "few" and data.size:
        data[rng.integers(0, data.size, 1 + data.size // 20)] = 7
    elif kind == "odd" and dtype == DType.float32:
        data[:] = rng.choice(ODD, size).view(np.uint8)
    return data.view(dtype.raw)


@st.composite
def items(draw: Callable[..., Any], name: str) -> Item:
    dtype = draw(st.sampled_from(list(DType)))
    spec = TensorSpec(name, draw(SHAPES), dtype)
    raw = draw(raw_arrays(spec.size, dtype))
    kind = draw(st.sampled_from(["none", "zeros", "seed", "wrong seed"]))
    if kind == "none":
        return spec, raw, None
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    mask = rng.random(spec.size) < draw(st.sampled_from([0.0, 0.03, 0.5, 1.0]))
    if kind == "zeros" or not dtype.is_floating:
        base = np.zeros(spec.size, dtype.raw)
        base[mask] = raw[mask]
        return spec, base, Claim(ZerosBase(), None, mask.reshape(spec.shape))
    init = draw(inits())
    try:
        check_init(init, dtype)
    except ValueError:
        init = make_init("normal", 0.5, stream=init.stream)
    seed = draw(st.integers(0, 2**64 - 1))
    if kind == "wrong seed":
        return spec, raw, Claim(SeedBase(seed), init)
    base = np.empty(spec.size, dtype.raw)
    fill_raw(base, dtype, key=seed, init=init)
    base[mask] = raw[mask]
    return spec, base, Claim(SeedBase(seed), init, mask)


@st.composite
def inits(draw: Callable[..., Any]) -> Init:
    kind = draw(st.sampled_from(["normal", "uniform", "sign", "constant", "truncated_normal"]))
    scale = draw(st.floats(2**-10, 1024))
    cut = 2.0 if kind == "truncated_normal" else None
    return make_init(kind, scale, stream=draw(st.sampled_from([0, 1, 5, 2**63 - 1])), cut=cut)


@st.composite
def models(draw: Callable[..., Any]) -> list[Item]:
    names = draw(st.lists(NAMES, max_size=5, unique=True))
    names = [name for name in names if name != "__metadata__" and len(name.encode()) <= 1024]
    return [draw(items(name)) for name in names]


def rebuild(data: bytes, backend: str | None = None) -> dict[str, tuple[TensorSpec, RawArray]]:
    with PackReader(data) as reader:
        rebuilder = Rebuilder(reader, backend=backend)
        return {n: (r.spec, rebuilder.tensor(n)) for n, r in reader.header.tensors.items()}


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(models(), st.sampled_from(["small", "fast"]))
def test_any_arrays_under_any_true_claim_come_back(model: list[Item], index: str) -> None:
    arrays = {spec.name: (spec, raw) for spec, raw, _ in model}
    claims = {spec.name: claim for spec, _, claim in model if claim is not None}
    packed = pack_arrays(arrays, claims=claims, index=index)
    data = b"".join(packed.pieces)
    assert packed.report.nbytes == len(data)
    found = rebuild(data)
    assert list(found) == sorted(arrays, key=str.encode)
    for name, (spec, raw) in arrays.items():
        assert found[name][0] == spec
        assert same(found[name][1], raw)
    for tensor in packed.report.tensors:
        claim = claims.get(tensor.name)
        if claim is not None and claim.mask is not None:
            assert tensor.trained == np.count_nonzero(claim.mask)
    shuffled = dict(reversed(arrays.items()))
    assert b"".join(pack_arrays(shuffled, claims=claims, index=index).pieces) == data


LAYOUTS = ("plain", "transposed", "strided", "view", "expanded")


@st.composite
def tensors(draw: Callable[..., Any]) -> torch.Tensor:
    dtype = draw(st.sampled_from(list(DType)))
    shape = draw(SHAPES)
    size = int(np.prod(shape, dtype=np.int64))
    plain = from_raw(draw(raw_arrays(size, dtype)), dtype, shape)
    layout = draw(st.sampled_from(LAYOUTS))
    if layout == "transposed" and len(shape) > 1:
        return plain.transpose(0, 1)
    if layout == "strided" and shape:
        return plain[::2]
    if layout == "view" and shape and shape[0]:
        return plain[1:]
    if layout == "expanded" and shape:
        return plain[:1].expand(3, *shape[1:]) if shape[0] else plain
    return plain


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from("abcdef"), tensors(), max_size=4), st.booleans())
def test_any_state_dict_comes_back(state: dict[str, torch.Tensor], tie: bool) -> None:
    if tie and "a" in state:
        state["z"] = state["a"]
    found = freezepack.torch.load(freezepack.torch.save(state))
    assert list(found) == sorted(state)
    for name, tensor in state.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        assert same(raw_copy(found[name]), raw_copy(tensor))
    if tie and "a" in state and state["a"].numel():
        assert found["z"] is found["a"]


def big(dtype: DType, shape: tuple[int, ...], rate: float, seed: int) -> Item:
    """Return a seeded tensor of which a share is replaced by random bits."""
    rng = np.random.default_rng(seed)
    spec = TensorSpec("w", shape, dtype)
    init = make_init("normal", 0.02, stream=3)
    raw = np.empty(spec.size, dtype.raw)
    fill_raw(raw, dtype, key=9, init=init)
    mask = rng.random(spec.size) < rate
    bits = rng.integers(0, 256, int(mask.sum()) * dtype.itemsize, np.uint8)
    raw[mask] = bits.view(dtype.raw)
    return spec, raw, Claim(SeedBase(9), init, mask)


@pytest.mark.parametrize(
    ("dtype", "shape", "rate", "index"),
    [
        (DType.float32, (2000, 1100), 0.005, "small"),
        (DType.bfloat16, (1100, 2000), 0.3, "fast"),
        (DType.float32, (2**20 + 5,), 0.1, "fast"),
        (DType.float16, (3, 2**20 - 7), 1.0, "fast"),
    ],
)
def test_tensors_of_several_units_come_back_whole_and_in_parts(
    dtype: DType, shape: tuple[int, ...], rate: float, index: str
) -> None:
    spec, raw, claim = big(dtype, shape, rate, seed=1)
    if library() is None:
        index = "fast"  # adaptive codecs take a minute for two million positions in NumPy
    packed = pack_arrays({"w": (spec, raw)}, claims={"w": claim} if claim else {}, index=index)
    data = b"".join(packed.pieces)
    with PackReader(data) as reader:
        record = reader.header.tensors["w"]
        assert record.layout.units > 1
        rebuilder = Rebuilder(reader)
        assert same(rebuilder.tensor("w"), raw)
        middle = record.layout.start(1)
        places = [(0, 1), (middle - 3, middle + 3), (middle, spec.size), (5, 5), (7, spec.size)]
        for start, stop in places:
            assert same(rebuilder.elements("w", start, stop), raw[start:stop])


def test_a_large_payload_has_a_checksum_per_unit_and_a_digest_per_tensor() -> None:
    spec, raw, _ = big(DType.float32, (2000, 1100), 0.02, seed=2)
    data = b"".join(pack_arrays({"w": (spec, raw)}, index="fast").pieces)
    with PackReader(data) as reader:
        record = reader.header.tensors["w"]
        assert reader.header.digest is None
        assert record.digest is not None
        assert record.unit(1).checksum is not None
    damaged = bytearray(data)
    damaged[-1] ^= 1
    with PackReader(bytes(damaged)) as reader:
        rebuilder = Rebuilder(reader)
        assert same(rebuilder.elements("w", 0, 10), raw[:10])
        with pytest.raises(freezepack.CorruptError, match="unit_checksum of 'w'"):
            rebuilder.tensor("w")
