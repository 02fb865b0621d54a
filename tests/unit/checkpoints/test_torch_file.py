"""torch files are read with weights_only=True and nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from freezepack.checkpoints.read import read_state
from freezepack.checkpoints.torch_file import tensors_of, write_torch
from freezepack.errors import CheckpointError
from freezepack.nn.fill import fill_weights
from freezepack.nn.raw import raw_copy
from freezepack.pack.packer import pack_arrays
from freezepack.types import Draw, FileBase, Init, SeedBase, ZerosBase


def save(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize("key", [None, "state_dict", "model_state_dict", "model"])
def test_a_state_dict_is_found(tmp_path: Path, key: str | None) -> None:
    tied = torch.arange(6.0).reshape(2, 3).T
    tensors = {"b": tied, "a": tied, "c": torch.ones(2, dtype=torch.bool)}
    content = tensors if key is None else {key: tensors, "epoch": 3}
    state = read_state(save(tmp_path / "a.pt", content))
    assert state.aliases == {"b": "a"}
    assert state.arrays["a"][0].shape == (3, 2)
    assert state.arrays["a"][1].view(np.float32).tolist() == [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
    assert state.claims == {}


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pt", nn.Linear(2, 2))
    wanted = r"a\.pt cannot be read with weights_only=True, .* save model\.state_dict\(\)"
    with pytest.raises(CheckpointError, match=wanted):
        read_state(path)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ([torch.ones(1)], "holds a list, expected a state dict: save model.state_dict()"),
        ({"w": torch.ones(1), "n": 3}, "entry 'n' is a int, expected a tensor, or a state dict"),
        ({"state_dict": {"w": 1}}, "entry 'w' is a int, expected a tensor"),
        ({"w": torch.ones(2).to_sparse()}, "'w' is sparse or has no data"),
        ({3: torch.ones(2)}, "entry 3 is a Tensor, expected a tensor"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, content: Any, wanted: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_state(save(tmp_path / "a.pt", content))
    assert wanted in str(caught.value)


def test_damage_is_reported(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pt", {"w": torch.ones(3)})
    whole = path.read_bytes()
    for data in (whole[:100], whole[:-30], b"PK\x03\x04", b"\x80\x02}", b"\x80"):
        path.write_bytes(data)
        with pytest.raises(CheckpointError):
            read_state(path)
    for data in (b"", b"hello", b"\0" * 40):
        path.write_bytes(data)
        wanted = r"is neither a \.safetensors nor a \.pt nor a \.fpk file"
        with pytest.raises(CheckpointError, match=wanted):
            read_state(path)


def test_what_is_written_loads_without_us_and_keeps_ties(tmp_path: Path) -> None:
    state = read_state(save(tmp_path / "a.pt", {"a": torch.ones(2), "c": torch.zeros(())}))
    with (tmp_path / "b.pt").open("wb") as file:
        write_torch(tensors_of(state.arrays, {"b": "a"}), file)
    found = torch.load(tmp_path / "b.pt", weights_only=True)
    assert list(found) == ["a", "b", "c"]
    assert found["b"].data_ptr() == found["a"].data_ptr()
    assert found["c"].shape == ()


def own(fill: str, **changes: Any) -> dict[str, Any]:
    """Return a checkpoint as the trainer writes it: 0.weight is frozen in part."""
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    inits = fill_weights(model, ["0.weight", "1.weight"], 7, "xavier_normal")
    weight = model.get_parameter("0.weight")
    mask = np.zeros((3, 4), np.bool_)
    mask[1, [0, 2]] = True
    with torch.no_grad():
        if fill == "zeros":
            weight.zero_()
        weight[1, 0] = 5
    info = {
        "checkpoint": 1,
        "model": "tiny",
        "model_args": {"width": 3, "relu": "all"},
        "seed": 7,
        "fill": fill,
        "freezing_rate": "0.8",
        "score": "snip",
        "metadata": {"accuracy": "0.5"},
        "init": {
            name: [init.draw.name, init.bits, init.tail, init.stream]
            for name, init in inits.items()
            if fill == "seed"
        },
        "masks": {"0.weight": torch.from_numpy(np.packbits(mask, bitorder="little"))},
    }
    return {"freezepack": {**info, **changes}, "state_dict": model.state_dict(), "training": {}}


def test_our_checkpoint_says_where_its_weights_come_from(tmp_path: Path) -> None:
    state = read_state(save(tmp_path / "a.pt", own("seed")))
    assert state.metadata == {
        "architecture": "tiny",
        "architecture_arguments": '{"relu":"all","width":3}',
        "freezing_rate": "0.8",
        "score": "snip",
        "seeds": "7",
        "accuracy": "0.5",
    }
    claim = state.claims["0.weight"]
    assert claim.base == SeedBase(7)
    assert claim.init is not None
    assert claim.init.stream == 1
    assert claim.mask is not None
    assert np.flatnonzero(claim.mask).tolist() == [4, 6]
    report = pack_arrays(state.arrays, claims=state.claims).report
    found = {
        tensor.name: (tensor.base, tensor.trained, tensor.changed) for tensor in report.tensors
    }
    assert found["0.weight"] == ("seed", 2, 1)
    assert found["0.bias"][:2] == ("zeros", 3)
    assert found["1.weight"][1:] == (6, 0)


def test_our_pruned_checkpoint_is_based_on_zeros(tmp_path: Path) -> None:
    state = read_state(save(tmp_path / "a.pt", own("zeros")))
    assert {type(claim.base) for claim in state.claims.values()} == {ZerosBase}
    assert state.claims["0.weight"].init == Init(Draw.constant, 0, 0, 1)
    assert state.claims["0.weight"].seed_of_mask == SeedBase(7)
    report = pack_arrays(state.arrays, claims=state.claims).report
    tensor = report.tensors[1]
    assert (tensor.name, tensor.base, tensor.trained, tensor.changed) == ("0.weight", "zeros", 2, 1)


def test_our_checkpoint_frozen_at_its_weights_needs_its_base(tmp_path: Path) -> None:
    state = read_state(save(tmp_path / "a.pt", own("file", seed=None)))
    assert isinstance(state.claims["0.weight"].base, FileBase)
    assert "seeds" not in state.metadata


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"checkpoint": 2}, "checkpoint version 2, this freezepack reads 1"),
        ({"masks": {"v": torch.zeros(1, dtype=torch.uint8)}}, "the checkpoint is damaged"),
        ({"masks": {"0.weight": torch.zeros(1, dtype=torch.uint8)}}, "has 1 bytes for 12 entries"),
        (
            {"masks": {"0.weight": torch.full((2,), 255, dtype=torch.uint8)}},
            "has entries past the tensor",
        ),
        ({"init": {"0.weight": ["normal", 5]}}, "the checkpoint is damaged"),
        ({"init": {"v": ["normal", 5, 0, 0]}}, "masks or draws for tensors that are not there"),
    ],
)
def test_a_damaged_checkpoint_is_refused(
    tmp_path: Path, changes: dict[str, Any], wanted: str
) -> None:
    with pytest.raises(CheckpointError, match=wanted):
        read_state(save(tmp_path / "a.pt", own("seed", **changes)))


def test_types_that_a_pack_lacks_are_refused(tmp_path: Path) -> None:
    content = {"w": torch.zeros(4, dtype=torch.uint8).view(torch.float8_e8m0fnu)}
    with pytest.raises(CheckpointError, match=r"'w': tensors of type torch\.float8_e8m0fnu cannot"):
        read_state(save(tmp_path / "a.pt", content))


def test_conjugate_views_are_resolved(tmp_path: Path) -> None:
    tensor = torch.tensor([1 + 2j, 3 - 1j])
    state = read_state(save(tmp_path / "a.pt", {"w": tensor.conj()}))
    assert state.arrays["w"][1].tolist() == raw_copy(torch.tensor([1 - 2j, 3 + 1j])).tolist()
