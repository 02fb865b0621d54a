"""A pack that is read as a model keeps its bases and masks; packed again it is the same file."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import freezepack
import freezepack.numpy
from freezepack.checkpoints.bases import claim_base, open_bases, parse_base
from freezepack.checkpoints.packed import read_packed
from freezepack.checkpoints.read import read_state
from freezepack.pack.claims import Claim
from freezepack.pack.packer import pack_arrays
from freezepack.random import fill_raw, make_init
from freezepack.random.seeded import permutation
from freezepack.rebuild.bases import Arrays
from freezepack.types import DType, FileBase, PackBase, RawArray, SeedBase, TensorSpec, ZerosBase

SHAPE = (60, 50)


def write(path: Path, arrays: Arrays, claims: dict[str, Claim], **options: Any) -> bytes:
    packed = pack_arrays(arrays, claims=claims, metadata={"note": "ok"}, **options)
    path.write_bytes(b"".join(packed.pieces))
    return path.read_bytes()


def again(path: Path, base: str | None = None, **options: Any) -> bytes:
    state = read_state(path)
    with ExitStack() as stack:
        claims, bases = claim_base(parse_base(base), state, stack)
        packed = pack_arrays(
            state.arrays,
            claims=claims,
            aliases=state.aliases,
            metadata=state.metadata,
            bases=bases,
            partial=state.partial,
            **options,
        )
    return b"".join(packed.pieces)


def model() -> tuple[dict[str, tuple[TensorSpec, RawArray]], dict[str, Claim]]:
    """Return tensors drawn from seed 1 of which some are trained, and others."""
    rng = np.random.default_rng(5)
    arrays: dict[str, tuple[TensorSpec, RawArray]] = {}
    claims: dict[str, Claim] = {}
    for stream, name in enumerate(("a", "b", "c")):
        spec = TensorSpec(name, SHAPE, DType.float32)
        init = make_init("normal", 0.05, stream=stream)
        raw = np.empty(spec.size, np.uint32)
        fill_raw(raw, spec.dtype, key=1, init=init)
        mask = rng.random(SHAPE) < 0.1 * stream
        raw[np.flatnonzero(mask)[::2]] = (
            rng.normal(0, 0.1, SHAPE).astype("f4").view("u4").flat[np.flatnonzero(mask)[::2]]
        )
        arrays[name] = spec, raw
        claims[name] = Claim(SeedBase(1), init, mask)
    bias = rng.normal(0, 0.1, 60).astype("f4").view("u4")
    arrays["bias"] = TensorSpec("bias", (60,), DType.float32), bias
    pruned = np.zeros(3000, np.uint32)
    pruned[::31] = 0x3F800000 + np.arange(97)
    arrays["pruned"] = TensorSpec("pruned", SHAPE, DType.float32), pruned
    mask = np.zeros(3000, np.bool_)
    mask[::31] = mask[5] = True
    claims["pruned"] = Claim(ZerosBase(), None, mask.reshape(SHAPE))
    return arrays, claims


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("index", ["small", "fast"])
def test_a_pack_packed_again_is_the_same_file(tmp_path: Path, index: str, partial: bool) -> None:
    arrays, claims = model()
    data = write(tmp_path / "a.fpk", arrays, claims, index=index, partial=partial)
    assert again(tmp_path / "a.fpk", index=index) == data


def test_masks_from_a_seed_keep_their_key(tmp_path: Path) -> None:
    arrays, claims = model()
    place = make_init("constant", 0.0, stream=9)
    mask = np.zeros(SHAPE, np.bool_)
    spec = TensorSpec("z", SHAPE, DType.float32)
    mask.flat[permutation(3000, seed=4, stream=9 + (1 << 63))[:30]] = True
    raw = np.where(mask.reshape(-1), np.uint32(0x3F800001), np.uint32(0))
    arrays["z"] = spec, raw
    claims["z"] = Claim(ZerosBase(), place, mask, SeedBase(4))
    data = write(tmp_path / "a.fpk", arrays, claims)
    assert read_state(tmp_path / "a.fpk").claims["z"].seed_of_mask == SeedBase(4)
    assert again(tmp_path / "a.fpk") == data


def test_what_the_file_says_is_claimed(tmp_path: Path) -> None:
    arrays, claims = model()
    write(tmp_path / "a.fpk", arrays, claims)
    state = read_state(tmp_path / "a.fpk")
    assert list(state.claims) == ["a", "b", "bias", "c", "pruned"]
    for name, claim in claims.items():
        found = state.claims[name]
        assert (found.base, found.init) == (claim.base, claim.init)
        assert np.array_equal(found.mask, claim.mask)  # type: ignore[arg-type]
    assert state.claims["bias"].base == ZerosBase()
    assert state.claims["bias"].mask is not None
    assert state.claims["bias"].mask.all()
    assert read_packed(tmp_path / "a.fpk", (), None).claims == {}


def test_masks_of_several_units_are_read(tmp_path: Path) -> None:
    spec = TensorSpec("w", (3, 1 << 19), DType.uint8)
    raw = np.zeros(spec.size, np.uint8)
    places = [0, 5, (1 << 20) - 1, (1 << 20) + 3, spec.size - 1]
    raw[places] = [1, 2, 3, 4, 5]
    data = write(tmp_path / "a.fpk", {"w": (spec, raw)}, {})
    mask = read_state(tmp_path / "a.fpk").claims["w"].mask
    assert mask is not None
    assert np.flatnonzero(mask).tolist() == places
    assert again(tmp_path / "a.fpk") == data


@pytest.mark.parametrize("kind", ["file", "pack"])
def test_a_base_outside_the_file_is_claimed_and_needed_again(tmp_path: Path, kind: str) -> None:
    from safetensors.numpy import save_file

    old: dict[str, NDArray[Any]] = {"w": np.arange(3000, dtype=np.float32).reshape(SHAPE)}
    base = tmp_path / "old"
    if kind == "file":
        save_file(old, base)
    else:
        freezepack.numpy.save_file(old, base)
    new = {"w": old["w"].copy()}
    new["w"][3, 4:9] = -1
    mask = np.zeros(SHAPE, np.bool_)
    mask[3, 3:9] = True
    data = freezepack.numpy.save(new, base=base, masks={"w": mask})
    (tmp_path / "a.fpk").write_bytes(data)
    with pytest.raises(freezepack.BaseMismatchError, match="give it with --base PATH"):
        read_state(tmp_path / "a.fpk")
    with ExitStack() as stack:
        bases = open_bases(base, stack)
        state = read_state(tmp_path / "a.fpk", bases=bases)
        claim = state.claims["w"]
        assert isinstance(claim.base, FileBase if kind == "file" else PackBase)
        assert np.array_equal(claim.mask, mask)  # type: ignore[arg-type]
        for text, more in ((None, base), (f"{kind}:{base}", None)):
            claims, found = claim_base(parse_base(text), state, stack, more=more)
            packed = pack_arrays(state.arrays, claims=claims, bases=found)
            assert b"".join(packed.pieces) == data
        other = {"w": old["w"] + 1}
        freezepack.numpy.save_file(other, tmp_path / "other")
        claims, found = claim_base(parse_base(f"pack:{tmp_path / 'other'}"), state, stack)
        assert claims["w"].mask is None
