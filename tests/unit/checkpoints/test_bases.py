"""What --base says is understood, and tried tensor by tensor."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import freezepack.torch
from freezepack.checkpoints.bases import BaseChoice, claim_base, open_bases, parse_base
from freezepack.checkpoints.read import read_state
from freezepack.checkpoints.state import State, find_differences
from freezepack.checkpoints.torch_file import state_of
from freezepack.errors import BaseMismatchError, CheckpointError, LimitError, UnknownNameError
from freezepack.nn.fill import fill_weights
from freezepack.pack.claims import Claim
from freezepack.pack.packer import Packed, pack_arrays
from freezepack.types import DType, FileBase, PackBase, SeedBase, TensorSpec


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        (None, BaseChoice("own")),
        ("seed", BaseChoice("own seed")),
        ("zeros", BaseChoice("zeros")),
        ("seed:18446744073709551615", BaseChoice("seed", 2**64 - 1, "xavier_normal")),
        ("seed:1/kaiming_uniform", BaseChoice("seed", 1, "kaiming_uniform")),
        ("file:a:b.pt", BaseChoice("file", path="a:b.pt")),
        ("pack:a.fpk", BaseChoice("pack", path="a.fpk")),
    ],
)
def test_choices_are_understood(text: str | None, choice: BaseChoice) -> None:
    assert parse_base(text) == choice


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file",
        "file:",
        "seed:",
        "seed:-1",
        "seed:18446744073709551616",
        "zero",
        "zeros:1",
        "x:1",
    ],
)
def test_others_are_refused(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"expected seed, seed:SEED, seed:SEED/SCHEME, zeros, file"
    ):
        parse_base(text)


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'xavier_normal'"):
        parse_base("seed:1/xavier_nromal")


def model() -> nn.Sequential:
    """Return a network drawn from seed 3 of which one weight was moved."""
    network = nn.Sequential(nn.Linear(30, 20), nn.Linear(20, 10))
    fill_weights(network, ["0.weight", "1.weight"], 3, "kaiming_uniform")
    with torch.no_grad():
        network.get_parameter("0.weight")[2, 3] += 1
    return network


def pack(state: State, base: str | None) -> Packed:
    with ExitStack() as stack:
        claims, bases = claim_base(parse_base(base), state, stack)
        return pack_arrays(state.arrays, claims=claims, bases=bases)


def test_a_foreign_state_dict_is_tried_against_a_seed() -> None:
    report = pack(state_of(model().state_dict()), "seed:3/kaiming_uniform").report
    assert [(t.name, t.base, t.trained) for t in report.tensors if len(t.shape) == 2] == [
        ("0.weight", "seed", 1),
        ("1.weight", "seed", 0),
    ]
    wrong = pack(state_of(model().state_dict()), "seed:4/kaiming_uniform").report
    assert [t.changed for t in wrong.tensors if len(t.shape) == 2] == [600, 200]
    assert wrong.nbytes > 2500


@pytest.mark.parametrize("kind", ["file", "pack"])
def test_a_fine_tune_is_packed_on_its_base(tmp_path: Path, kind: str) -> None:
    old = model()
    path = tmp_path / "old"
    if kind == "file":
        save_file(old.state_dict(), path)
    else:
        freezepack.torch.save_file(old.state_dict(), path)
    new = {name: tensor.clone() for name, tensor in old.state_dict().items()}
    new["0.weight"][1, 1] += 1
    new["extra"] = torch.ones(3)
    packed = pack(state_of(new), f"{kind}:{path}")
    found = {t.name: (t.base, t.trained) for t in packed.report.tensors}
    assert found["0.weight"] == (kind, 1)
    assert found["1.bias"] == (kind, 0)
    assert found["extra"] == ("zeros", 3)
    data = b"".join(packed.pieces)
    assert len(data) < 200
    with pytest.raises(BaseMismatchError, match=r"'old' .*: give it with --base PATH"):
        freezepack.torch.load(data)
    loaded = freezepack.torch.load(data, base=path)
    assert all(torch.equal(loaded[name], tensor) for name, tensor in new.items())
    save_file({"other": torch.ones(1)}, tmp_path / "other")
    with pytest.raises(BaseMismatchError, match=r"found [0-9a-f]{16}: give the right one"):
        freezepack.torch.load(data, base=tmp_path / "other")


def test_a_file_without_seed_has_none_to_offer() -> None:
    with pytest.raises(CheckpointError, match="give --base seed:SEED/SCHEME or --base zeros"):
        pack(state_of(model().state_dict()), "seed")


def test_zeros_replace_the_claims_of_a_seeded_checkpoint_and_keep_those_of_a_pruned_one() -> None:
    spec = TensorSpec("w", (2, 2), DType.float32)
    mask = np.array([[True, False], [False, False]])
    arrays = {"w": (spec, np.array([1, 0, 0, 0], np.uint32))}
    pruned = State(arrays, claims={"w": Claim(mask=mask)})
    with ExitStack() as stack:
        assert claim_base(parse_base("zeros"), pruned, stack)[0] == pruned.claims
        seeded = State(arrays, claims={"w": Claim(SeedBase(1), None, mask)})
        assert claim_base(parse_base("zeros"), seeded, stack)[0] == {}


def test_a_mask_without_base_gets_the_base_that_is_named(tmp_path: Path) -> None:
    spec = TensorSpec("w", (2, 2), DType.float32)
    mask = np.array([[True, False], [False, False]])
    arrays = {"w": (spec, np.array([1, 2, 3, 4], np.uint32))}
    state = State(arrays, claims={"w": Claim(FileBase(0), None, mask)})
    save_file(
        {"w": torch.from_numpy(arrays["w"][1].view(np.float32).reshape(2, 2).copy())},
        tmp_path / "a",
    )
    tensor = pack(state, f"file:{tmp_path / 'a'}").report.tensors[0]
    assert (tensor.base, tensor.trained, tensor.changed) == ("file", 1, 0)
    with pytest.raises(BaseMismatchError, match="0000000000000000: give it with --base PATH"):
        pack(state, None)


def test_packs_that_stand_on_one_another_may_come_in_any_order(tmp_path: Path) -> None:
    spec = TensorSpec("w", (300,), DType.uint8)
    raw = np.arange(300).astype(np.uint8)
    save_file({"w": torch.from_numpy(raw.copy())}, tmp_path / "0")
    for number in range(1, 4):
        raw = raw.copy()
        raw[number] = 99
        with ExitStack() as stack:
            older = [tmp_path / str(n) for n in range(number)]
            bases = open_bases(older, stack)
            kind = PackBase if number > 1 else FileBase
            claims = {"w": Claim(kind(bases[-1].digest))}
            packed = pack_arrays({"w": (spec, raw)}, claims=claims, bases=bases)
        (tmp_path / str(number)).write_bytes(b"".join(packed.pieces))
    paths = [tmp_path / str(n) for n in (2, 0, 1)]
    with ExitStack() as stack:
        bases = open_bases(paths, stack)
        assert [base.depth for base in bases] == [2, 0, 1]
        state = read_state(tmp_path / "3", bases=bases)
    assert state.arrays["w"][1].tolist() == raw.tolist()
    with ExitStack() as stack, pytest.raises(BaseMismatchError):
        open_bases([tmp_path / "2", tmp_path / "0"], stack)


def test_the_limit_of_the_caller_holds_for_a_base(tmp_path: Path) -> None:
    spec = TensorSpec("w", (300,), DType.uint8)
    packed = pack_arrays({"w": (spec, np.arange(300).astype(np.uint8))})
    (tmp_path / "a").write_bytes(b"".join(packed.pieces))
    with ExitStack() as stack:
        found = open_bases(tmp_path / "a", stack, max_bytes=299)[0]
        assert found.read(spec, 0, 299).size == 299
        with pytest.raises(LimitError, match="300 bytes when rebuilt, more than max_bytes = 299"):
            found.read(spec, 0, 300)
        choice = parse_base(f"pack:{tmp_path / 'a'}")
        _, bases = claim_base(choice, State({}), stack, max_bytes=9)
        with pytest.raises(LimitError, match="more than max_bytes = 9"):
            bases[0].read(spec, 0, 10)


def test_differences_are_listed() -> None:
    one = state_of(
        {
            "a": torch.zeros(2),
            "b": torch.zeros(3),
            "c": torch.zeros(1),
            "n": torch.tensor(float("nan")),
        }
    )
    two = state_of(
        {
            "a": torch.tensor([0.0, -0.0]),
            "b": torch.zeros(3, 1),
            "d": torch.zeros(1),
            "n": torch.tensor(float("nan")),
        }
    )
    assert find_differences(one, one) == []
    assert find_differences(one, two) == [
        "'a': 1 of 2 entries differ, the first is number 1",
        "'b': float32 [3] against float32 [3, 1]",
        "'c' is only in the first",
        "'d' is only in the second",
    ]
