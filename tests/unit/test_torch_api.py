"""State dicts and models in and out, in the words of safetensors."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import freezepack
from freezepack.nn.fill import fill_weights
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.rebuild.torch_devices.rebuilder import DeviceRebuilder
from freezepack.torch import load, load_file, load_into, load_model, save, save_file, save_model


class Tied(nn.Module):
    """An embedding that is its own output layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.out = nn.Linear(4, 10, bias=False)
        self.out.weight = self.embed.weight
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.out(self.norm(self.embed(x)))
        return found


def equal(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def test_a_state_dict_comes_back(tmp_path: Path) -> None:
    state = Tied().state_dict()
    save_file(state, tmp_path / "a.fpk", {"note": "ok"})
    found = load_file(tmp_path / "a.fpk")
    assert list(found) == sorted(state)
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    assert found["out.weight"] is found["embed.weight"]
    assert found["norm.num_batches_tracked"].dtype == torch.int64


def test_a_model_is_filled_in_place(tmp_path: Path) -> None:
    model, other = Tied(), Tied()
    save_model(model, tmp_path / "a.fpk", {"note": "ok"})
    weight = other.embed.weight
    assert load_model(other, tmp_path / "a.fpk") == ([], [])
    assert other.embed.weight is weight
    assert other.out.weight is weight
    assert equal(model, other)
    with freezepack.open(tmp_path / "a.fpk") as file:
        assert file.header.aliases == {"out.weight": "embed.weight"}


def test_tied_weights_are_found_under_any_of_their_names() -> None:
    model, other = Tied(), Tied()
    state = model.state_dict()
    del state["embed.weight"]
    assert load_into(other, save(state)) == ([], [])
    assert equal(model, other)


def test_two_contents_of_a_tied_weight_are_refused_and_nothing_is_changed() -> None:
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    model[1].weight = model[0].weight
    before = model.get_parameter("0.weight").detach().clone()
    one, two = torch.ones(3, 3), torch.full((3, 3), 2.0)
    wanted = "0.weight and 1.weight are tied in the model and differ in the pack"
    for other in (two, torch.ones(3, 2), -torch.zeros(3, 3)):
        data = save({"0.weight": one if other is two else torch.zeros(3, 3), "1.weight": other})
        with pytest.raises(freezepack.CheckpointError, match=wanted):
            load_into(model, data)
    assert torch.equal(model.get_parameter("0.weight"), before)
    data = save({"0.weight": one, "1.weight": two})
    assert load_into(model, data, strict=False) == ([], [])
    assert model.get_parameter("1.weight").tolist() == one.tolist()
    assert load_into(model, save({"0.weight": two, "1.weight": two.clone()})) == ([], [])
    assert model.get_parameter("1.weight").tolist() == two.tolist()


def test_a_tensor_is_saved_without_those_that_share_its_block() -> None:
    state = {"large": torch.randn(1000, 1000), "small": torch.randn(10)}
    loaded = load(save(state))
    assert [loaded[name].untyped_storage().nbytes() for name in state] == [4_000_000, 40]
    file = io.BytesIO()
    torch.save(loaded["small"], file)
    assert len(file.getvalue()) < 4000


class Views(nn.Module):
    """One buffer, and a part of it under a name of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("flat", torch.zeros(400, 300))
        self.register_buffer("other", torch.zeros(3))
        self.register_buffer("part", self.get_buffer("flat")[100:])


@pytest.mark.parametrize("backend", [None, "torch"])
def test_tensors_that_overlap_are_filled_one_after_the_other(
    backend: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: type[Rebuilder] = Rebuilder
    name = "fill_tensors"
    if backend is not None:
        kind, name = DeviceRebuilder, "fill_device_tensors"
    fill, calls = getattr(kind, name), []

    def watched(self: Rebuilder, targets: dict[str, Any]) -> None:
        calls.append(sorted(targets))
        fill(self, targets)

    monkeypatch.setattr(kind, name, watched)
    flat = torch.randn(400, 300)
    data = save({"flat": flat, "other": torch.ones(3), "part": flat[100:].clone()})
    model = Views()
    load_into(model, data, backend=backend)
    assert torch.equal(model.get_buffer("flat"), flat)
    assert [call for call in calls if call] == [["flat", "other"], ["part"]]


def test_a_model_without_memory_is_refused() -> None:
    with torch.device("meta"):
        model = nn.Linear(3, 2)
    wanted = (
        r"bias is on the device 'meta' and .* to be filled: call model\.to_empty\(device=\.\.\.\)"
    )
    with pytest.raises(freezepack.CheckpointError, match=wanted):
        load_into(model, save(nn.Linear(3, 2).state_dict()))
    assert load_into(model, save({"x": torch.ones(1)}), strict=False)[1] == ["x"]
    model.to_empty(device="cpu")
    assert load_into(model, save(nn.Linear(3, 2).state_dict())) == ([], [])


def test_an_expanded_tensor_is_refused_and_nothing_is_changed() -> None:
    model = nn.Module()
    model.register_buffer("a", torch.zeros(3))
    model.register_buffer("b", torch.zeros(1, 4).expand(3, 4))
    with pytest.raises(freezepack.CheckpointError, match="b is expanded: several of its elements"):
        load_into(model, save({"a": torch.ones(3), "b": torch.ones(3, 4)}))
    assert model.get_buffer("a").tolist() == [0, 0, 0]


def test_damage_leaves_no_stale_gradient() -> None:
    model = nn.Linear(200, 300, bias=False)
    data = bytearray(save({"weight": torch.randn(300, 200)}))
    data[-1] ^= 1
    loss = model(torch.ones(1, 200, requires_grad=True)).sum()
    with pytest.raises(freezepack.CorruptError):
        load_into(model, bytes(data))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_names_that_differ_are_listed_and_nothing_is_changed() -> None:
    model = nn.Linear(3, 2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    data = save({"weight": torch.ones(2, 3), "extra": torch.ones(1)})
    wanted = "not in the pack: bias; not in the model: extra. strict=False loads what both have"
    with pytest.raises(freezepack.CheckpointError) as caught:
        load_into(model, data)
    assert str(caught.value) == wanted
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)
    assert load_into(model, data, strict=False) == (["bias"], ["extra"])
    assert model.weight.tolist() == [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    assert torch.equal(model.bias, before["bias"])


def test_shapes_and_types_that_differ_are_listed_and_nothing_is_changed() -> None:
    model = nn.Linear(3, 2)
    bias = model.bias.detach().clone()
    data = save({"bias": torch.ones(2), "weight": torch.ones(3, 3, dtype=torch.float16)})
    wanted = "weight: float16 [3, 3] in the pack, float32 [2, 3] in the model"
    with pytest.raises(freezepack.CheckpointError) as caught:
        load_into(model, data)
    assert str(caught.value) == wanted
    assert torch.equal(model.bias, bias)


def test_a_partial_pack_says_so() -> None:
    from freezepack.checkpoints.torch_file import state_of
    from freezepack.saving import SaveOptions, pack_state

    state = state_of({"weight": torch.ones(2, 3)})
    data = b"".join(pack_state(state, None, SaveOptions(partial=True)).pieces)
    with pytest.raises(freezepack.CheckpointError, match="not in the pack: bias; the pack is mark"):
        load_into(nn.Linear(3, 2), data)
    assert load_into(nn.Linear(3, 2), data, strict=False) == (["bias"], [])


def test_memory_formats_and_wrappers_do_not_matter() -> None:
    model = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    other = nn.DataParallel(nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last))  # type: ignore[call-overload]
    load_into(other, save(model.state_dict()))
    assert equal(model, other.module)


def test_the_limit_is_checked_before_anything_is_made() -> None:
    data = save({"w": torch.zeros(100)})
    with pytest.raises(freezepack.LimitError, match="400 bytes when rebuilt"):
        load(data, max_bytes=399)


def test_a_scheme_fits_what_fill_has_drawn() -> None:
    model = nn.Sequential(nn.Linear(30, 20), nn.Linear(20, 10))
    fill_weights(model, ["0.weight", "1.weight"], 3, "xavier_normal")
    data = save(model.state_dict(), seed=3, init="xavier_normal")
    assert len(data) < 250
    assert torch.equal(load(data)["1.weight"], model.state_dict()["1.weight"])


def test_a_frozen_model_is_packed_with_seed_and_masks(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 5))
    batch = torch.randn(8, 40), torch.randint(0, 5, (8,))
    freezepack.torch.freeze(model, rate=0.9, score="snip", batch=batch, seed=4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    save_model(model, tmp_path / "a.fpk")
    with freezepack.open(tmp_path / "a.fpk") as file:
        records = file.header.tensors.values()
        assert sum(r.trained for r in records if len(r.spec.shape) == 2) == 135
        assert file.metadata()["seeds"] == "4"
        assert file.header.file_size < 1000
    plain = nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 5))
    load_into(plain, tmp_path / "a.fpk")
    assert torch.equal(plain(batch[0]), model(batch[0]))
    with pytest.raises(freezepack.CheckpointError, match="the model is frozen"):
        load_into(model, tmp_path / "a.fpk")


def test_special_bits_survive() -> None:
    bits = torch.tensor([0x7FC12345, -0x80000000, 0x7F800000, 1], dtype=torch.int32)
    model = nn.Linear(2, 2, bias=False)
    load_into(model, save({"weight": bits.view(torch.float32).reshape(2, 2)}))
    assert model.weight.detach().reshape(-1).view(torch.int32).tolist() == bits.tolist()


def test_other_tensors_are_refused() -> None:
    with pytest.raises(freezepack.CheckpointError, match="'w' is sparse or has no data"):
        save({"w": torch.ones(2).to_sparse()})
    with pytest.raises(freezepack.CheckpointError, match="'w' is a ndarray, expected a tensor"):
        save({"w": np.ones(2)})  # type: ignore[dict-item]


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = freezepack.torch.lod


@pytest.mark.parametrize("device", ["nonsense", "hpu:77", "xla"])
def test_a_device_that_is_not_there_is_an_error_of_ours(tmp_path: Path, device: str) -> None:
    save_file({"w": torch.ones(2)}, tmp_path / "a.fpk")
    with pytest.raises(freezepack.FreezepackError, match=f"device '{device}' cannot be used: "):
        load_file(tmp_path / "a.fpk", device)
