"""Runs end in a file of the size asked for, and resume bit for bit."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import freezepack.torch
from freezepack.errors import CheckpointError, FreezepackError, OutputExistsError
from freezepack.format.reader import PackReader
from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.rate import RateConfig, RateEpoch, RateOptimizer, run_rate, train_for_rate
from freezepack.train.checkpoint import load_checkpoint
from freezepack.train.evaluation import evaluate
from freezepack.train.loop import Callback, Epoch
from tests.unit.train.helpers import small_data
from tests.unit.train.test_resume import Interrupt, content, lines


def small_config(**changes: Any) -> RateConfig:
    settings: dict[str, Any] = {
        "model": "lenet-300-100",
        "data": "digits",
        "rows": {"fc1": 12, "fc2": 8},
        "epochs": 4,
        "batch_size": 8,
        "rate_weight": 1e-3,
        "lr": 0.03,
        "augmentation": "shift",
        "copies": 2,
        "exchanges": 10,
    }
    return RateConfig(**{**settings, **changes})


class Notes(Callback):
    """Keep what is told of epochs."""

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


@pytest.mark.usefixtures("small")
class TestRun:
    def test_the_file_holds_the_network_that_was_judged(self, tmp_path: Path) -> None:
        notes = Notes()
        result = run_rate(small_config(), out=tmp_path, callbacks=[notes])
        assert result.pack.stat().st_size == result.file_bytes
        model = build_model("lenet-300-100")
        freezepack.torch.load_into(model, result.pack)
        data = small_data()
        assert evaluate(model, data, "validation") == result.validation_accuracy
        assert evaluate(model, data, "test") == result.test_accuracy
        weights = [p for p in model.parameters() if p.dim() > 1]
        assert sum(int((p != 0).sum()) for p in weights) == result.trained_weights
        assert sum(p.numel() for p in weights) == result.weights == 266_200
        assert not model.get_parameter("fc1.weight")[12:].any()
        last = notes.epochs[-1]
        assert isinstance(last, RateEpoch)
        assert 0.9 * last.file_bytes < result.file_bytes <= last.file_bytes
        assert last.trained_weights == result.trained_weights
        assert last.validation_accuracy == result.validation_accuracy
        with PackReader(result.pack) as reader:
            assert dict(reader.header.metadata) == {"architecture": "lenet-300-100"}

    def test_the_checkpoint_has_the_values_of_the_file(self, tmp_path: Path) -> None:
        result = run_rate(small_config(target_bytes=700, epochs=6), out=tmp_path)
        state = load_checkpoint(tmp_path / "model.pt").state
        stored = freezepack.torch.load_file(result.pack)
        assert all(torch.equal(stored[name], state[name]) for name in state)

    @pytest.mark.parametrize("target", [400, 600])
    def test_a_target_is_kept(self, tmp_path: Path, target: int) -> None:
        config = small_config(target_bytes=target, epochs=8)
        result = run_rate(config, out=tmp_path)
        assert 0.6 * target < result.file_bytes <= target

    def test_estimates_are_near_the_file(self, tmp_path: Path) -> None:
        notes = Notes()
        run_rate(small_config(epochs=6), out=tmp_path, callbacks=[notes])
        for epoch in notes.epochs[1:]:
            assert isinstance(epoch, RateEpoch)
            assert epoch.estimated_bytes == pytest.approx(epoch.file_bytes, rel=0.03)

    @pytest.mark.parametrize("changes", [{}, {"target_bytes": 500, "teacher": "dense"}])
    def test_a_resumed_run_is_bit_equal_to_an_uninterrupted_one(
        self, tmp_path: Path, changes: dict[str, Any]
    ) -> None:
        config = small_config(teacher_epochs=2, **changes)
        whole, parts = tmp_path / "whole", tmp_path / "parts"
        expected = run_rate(config, out=whole)
        for stop in (0, 1, 3):
            with pytest.raises(KeyboardInterrupt):
                run_rate(config, out=parts, resume=True, callbacks=[Interrupt(stop)])
        found = run_rate(config, out=parts, resume=True)
        assert found.file_bytes == expected.file_bytes
        assert (parts / "model.fpk").read_bytes() == (whole / "model.fpk").read_bytes()
        assert lines(parts) == lines(whole)

    def test_a_run_that_has_ended_is_not_run_again(self, tmp_path: Path) -> None:
        config = small_config()
        first = run_rate(config, out=tmp_path)
        before = content(tmp_path)
        assert run_rate(config, out=tmp_path, resume=True) == first
        assert content(tmp_path) == before

    def test_another_run_is_neither_continued_nor_replaced(self, tmp_path: Path) -> None:
        run_rate(small_config(), out=tmp_path)
        with pytest.raises(OutputExistsError):
            run_rate(small_config(), out=tmp_path)
        with pytest.raises(CheckpointError, match=r"rate_weight was 0\.001, is 0\.002"):
            run_rate(small_config(rate_weight=2e-3), out=tmp_path, resume=True)
        run_rate(small_config(rate_weight=2e-3), out=tmp_path, force=True)
        kept = json.loads((tmp_path / "config.json").read_text())
        assert kept["rate_config"]["rate_weight"] == 2e-3

    def test_a_target_out_of_reach_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(FreezepackError, match="bytes, expected at most 20"):
            run_rate(small_config(target_bytes=20, epochs=1), out=tmp_path)


class Mixed(nn.Module):
    """No network of ours: normalisation, a tied weight, a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(784, 16)
        self.norm = nn.BatchNorm1d(16)
        self.once = nn.Linear(16, 16, bias=False)
        self.twice = nn.Linear(16, 16, bias=False)
        self.twice.weight = self.once.weight
        self.last = nn.Linear(16, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.norm(self.first(images.flatten(1))))
        hidden = hidden + torch.relu(self.twice(torch.relu(self.once(hidden))))
        found: torch.Tensor = self.last(hidden)
        return found


def test_any_network_is_trained_for_its_file() -> None:
    torch.manual_seed(0)
    model, data = Mixed(), small_data()
    config = small_config(rows={}, epochs=6, target_bytes=900)
    trained = train_for_rate(model, data, config)
    packed = b"".join(trained.packed.pieces)
    assert len(packed) <= 900
    other = Mixed()
    freezepack.torch.load_into(other, packed)
    for name, tensor in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name
    assert other.twice.weight is other.once.weight


def test_a_narrowed_network_has_its_shapes_back() -> None:
    model = build_model("lenet-300-100")
    fill_module(model, 1, "kaiming_normal")
    trained = train_for_rate(model, small_data(), small_config())
    assert model.get_parameter("fc1.weight").shape == (300, 784)
    stored = freezepack.torch.load(b"".join(trained.packed.pieces))
    assert torch.equal(stored["fc1.weight"], model.get_parameter("fc1.weight").detach())


def test_freezepack_torch_has_the_entry_points() -> None:
    assert freezepack.torch.train_for_rate is train_for_rate
    assert freezepack.torch.RateOptimizer is RateOptimizer
