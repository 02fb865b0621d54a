"""Strong lottery tickets: found by training scores, stored as seeds and a part of the mask."""

from pathlib import Path

import pytest
import torch
from torch import nn

import freezepack.torch
from freezepack.cli.packing import train_and_pack
from freezepack.errors import SelectionError, UnknownNameError
from freezepack.format.reader import PackReader
from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.nn.record import record_of
from freezepack.nn.state import dense_state
from freezepack.train import run
from freezepack.train.config import RunConfig
from freezepack.train.freezing import check_frozen
from freezepack.train.loop import Callback, Epoch
from freezepack.train.supermask import search
from tests.unit.train.helpers import small_config
from tests.unit.train.test_resume import content


class Stop(Callback):
    """Interrupt a run behind its second epoch."""

    def on_epoch(self, epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt


def supermask_config(**settings: object) -> RunConfig:
    return small_config(method="edge-popup", freezing_rate="0.5", optimizer="sgd", **settings)


@pytest.mark.usefixtures("small")
class TestRun:
    def test_weights_are_their_seeds_or_zero_and_half_are_kept(self, tmp_path: Path) -> None:
        result = train_and_pack(supermask_config(epochs=2), tmp_path / "a")
        assert (result.trained_weights, result.weights) == (133_100, 266_200)
        rebuilt = freezepack.torch.load_file(tmp_path / "a" / "model.fpk")
        dense = build_model("lenet-300-100")
        fill_module(dense, seed=result.config.seed, scheme="signed_constant")
        expected = dense.state_dict()
        kept = 0
        for name in ("fc1.weight", "fc2.weight", "fc3.weight"):
            stays = rebuilt[name] != 0
            kept += int(stays.sum())
            assert torch.equal(rebuilt[name][stays], expected[name][stays])
        assert kept == 133_100
        with PackReader(tmp_path / "a" / "model.fpk") as reader:
            assert reader.header.metadata["score"] == "edge-popup"
            # next to no byte for values (the biases, all 0), about one bit for each weight
            assert reader.header.sizes["values"] <= 8
            assert reader.header.sizes["index"] <= 266_200 // 8 + 1

    def test_a_frozen_source_costs_what_is_free(self, tmp_path: Path) -> None:
        sizes = []
        for share in (0.0, 0.35):
            folder = tmp_path / str(share)
            arguments = {"prune": share, "lock": share, "distribution": "uniform"}
            train_and_pack(supermask_config(epochs=1, method_args=arguments), folder)
            with PackReader(folder / "model.fpk") as reader:
                sizes.append(reader.header.sizes["index"])
        assert sizes[0] / sizes[1] == pytest.approx(10 / 3, rel=0.01)

    def test_a_resumed_search_is_bit_equal_to_an_uninterrupted_one(self, tmp_path: Path) -> None:
        config = supermask_config(epochs=3, momentum=0.9, method_args={"prune": 0.2, "lock": 0.2})
        expected = run(config, out=tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt):
            run(config, out=tmp_path / "parts", callbacks=[Stop()])
        again = run(config, out=tmp_path / "parts", resume=True)
        assert again.test_accuracy == expected.test_accuracy
        first, second = (content(tmp_path / name)["model.pt"] for name in ("whole", "parts"))
        assert first == second


def test_searching_lowers_the_loss_of_a_network_that_is_never_trained() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 200), nn.ReLU(), nn.Linear(200, 2))
    inputs = torch.randn(256, 20)
    targets = (inputs[:, 0] * inputs[:, 1] > 0).long()
    _, refresh = search(model, rate="0.5", seed=2)
    scores = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(scores, lr=0.5, momentum=0.9)
    optimizer.register_step_post_hook(refresh)
    losses = []
    for _ in range(60):
        loss = nn.functional.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.75 * losses[0]
    check_frozen(model)
    record = record_of(model)
    assert record is not None
    assert sum(int(mask.sum()) for mask in record.masks.values()) == 2_200
    data = freezepack.torch.load(_saved(model))
    assert all(torch.equal(data[name], tensor) for name, tensor in dense_state(model).items())


def _saved(model: nn.Module) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.fpk"
        freezepack.torch.save_model(model, path)
        return path.read_bytes()


def test_wrong_options_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="no option of method 'freeze' named 'lock'"):
        RunConfig(method_args={"lock": 0.1})
    with pytest.raises(UnknownNameError, match=r"no method named 'edge-pop'\. Did you mean"):
        RunConfig(method="edge-pop")
    with pytest.raises(SelectionError, match="expected 60 to 70"):
        search(nn.Linear(10, 10), rate="0.5", seed=1, prune=0.3, lock=0.6, distribution="uniform")
    model = nn.Linear(10, 10)
    search(model, rate="0.5", seed=1)
    with pytest.raises(SelectionError, match="the model is frozen already"):
        search(model, rate="0.5", seed=1)
