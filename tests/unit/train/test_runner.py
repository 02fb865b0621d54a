"""A run from end to end, on a small data set."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from freezepack.errors import BaseDriftError, FreezepackError
from freezepack.models.build import build_model
from freezepack.train import Finished, Result, RunConfig, evaluate, run
from freezepack.train.checkpoint import load_checkpoint
from freezepack.train.data.dataset import Dataset
from freezepack.train.logs import MetricsLog, read_metrics
from freezepack.train.loop import Callback, Epoch, fit
from freezepack.train.optimizer import build_optimizer
from freezepack.train.session import begin
from tests.unit.train.helpers import small_config, small_data, tree


def test_a_run_writes_its_files_and_says_what_it_did(tmp_path: Path, small: Dataset) -> None:
    out = tmp_path / "runs" / "a"
    result = run(small_config(epochs=3), out=out)
    assert tree(out) == {"config.json", "metrics.jsonl", "model.pt"}
    assert (result.weights, result.trained_weights, result.trained_others) == (266_200, 2662, 410)
    lines = read_metrics(out / "metrics.jsonl")
    assert [line["event"] for line in lines] == ["epoch", "epoch", "epoch", "end"]
    assert [line.get("epoch") for line in lines] == [1, 2, 3, None]
    assert lines[3]["test_accuracy"] == result.test_accuracy
    assert lines[2]["validation_accuracy"] == result.validation_accuracy
    assert lines[2]["loss"] < lines[0]["loss"]
    content = json.loads((out / "config.json").read_text())
    assert RunConfig(**content["config"]) == result.config
    assert content["hash"] == result.config.hash


def test_the_checkpoint_is_what_was_evaluated(tmp_path: Path, small: Dataset) -> None:
    result = run(small_config(), out=tmp_path)
    checkpoint = load_checkpoint(result.checkpoint)
    model = build_model(checkpoint.model, checkpoint.model_args)
    model.load_state_dict(checkpoint.state)
    assert evaluate(model, small) == result.test_accuracy
    assert checkpoint.training == {}
    assert checkpoint.metadata["validation_accuracy"] == repr(result.validation_accuracy)


def test_dense_training_is_a_rate_of_zero(tmp_path: Path, small: Dataset) -> None:
    result = run(small_config(freezing_rate="0"), out=tmp_path)
    assert (result.trained_weights, result.trained_others) == (266_200, 410)
    assert load_checkpoint(result.checkpoint).record.masks == {}


def test_the_twin_differs_in_nothing_but_what_is_frozen(tmp_path: Path, small: Dataset) -> None:
    masks = [
        load_checkpoint(run(small_config(fill=fill), out=tmp_path / fill).checkpoint).record.masks
        for fill in ("seed", "zeros")
    ]
    assert all((masks[0][name] == masks[1][name]).all() for name in masks[0])


def test_the_test_set_is_touched_once_and_by_what_on_finish_returns(
    tmp_path: Path, small: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    batch = Dataset.batch

    def watch(self: Dataset, split: Any, where: Any, change: Any = None) -> Any:
        seen.extend(name for name, part in self.splits.items() if part is split)
        return batch(self, split, where, change)

    monkeypatch.setattr(Dataset, "batch", watch)
    given: list[Finished] = []

    class Constant(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return torch.eye(10)[7].expand(len(inputs), 10)

    def on_finish(finished: Finished) -> nn.Module:
        assert "test" not in seen
        assert finished.checkpoint.exists()
        given.append(finished)
        return Constant()

    result = run(small_config(), out=tmp_path, on_finish=on_finish)
    assert seen.count("test") == 1
    assert seen[-1] == "test"
    assert result.test_accuracy == 0.1
    assert given[0].validation_accuracy == result.validation_accuracy


def test_a_run_stops_when_a_frozen_weight_has_moved(tmp_path: Path, small: Dataset) -> None:
    class Vandal(Callback):
        model: nn.Module

        def on_step(self, step: int, loss: torch.Tensor) -> None:
            self.model.get_buffer("fc1.parametrizations.weight.0.base").add_(1.0)

    vandal, make = Vandal(), build_optimizer

    def remember(config: RunConfig, model: nn.Module) -> torch.optim.Optimizer:
        vandal.model = model
        return make(config, model)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("freezepack.train.session.build_optimizer", remember)
        with pytest.raises(BaseDriftError, match=r"fc1\.weight: .* frozen weights differ"):
            run(small_config(epochs=1), out=tmp_path, callbacks=[vandal])
    assert not [line for line in read_metrics(tmp_path / "metrics.jsonl") if line["event"] == "end"]
    assert not (tmp_path / "model.pt").exists()


def test_runs_repeat_bit_for_bit_and_leave_torchs_generator_alone(
    tmp_path: Path, small: Dataset
) -> None:
    state = torch.get_rng_state()
    states = [
        load_checkpoint(run(small_config(), out=tmp_path / name).checkpoint).state for name in "ab"
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert torch.equal(torch.get_rng_state(), state)


def test_accumulation_changes_the_result_by_rounding_only() -> None:
    data = small_data()
    models = []
    for parts in (1, 3):
        config = small_config(epochs=1, optimizer="sgd", accumulate=parts)
        session = begin(config, data)
        fit(session.model, session.optimizer, data, config)
        models.append(torch.cat([p.detach().reshape(-1) for p in session.model.parameters()]))
    torch.testing.assert_close(models[0], models[1], rtol=1e-3, atol=1e-5)
    assert not torch.equal(models[0], models[1])


def test_clipping_bounds_the_step() -> None:
    data, config = small_data(), small_config(epochs=1, optimizer="sgd", momentum=0.0, clip=1e-3)
    config = config.changed(weight_decay=0.0, lr=1.0, schedule="constant", warmup=0.0)
    session = begin(config, data)
    before = torch.cat([p.detach().reshape(-1).clone() for p in session.model.parameters()])
    fit(session.model, session.optimizer, data, config)
    after = torch.cat([p.detach().reshape(-1) for p in session.model.parameters()])
    assert 0 < (after - before).norm() <= 3 * 1e-3 * 1.001


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path, small: Dataset) -> None:
    config = small_config(optimizer="sgd", lr=1e30, clip=None)
    with pytest.raises(
        FreezepackError, match=r"the loss is (nan|inf) in epoch 1: try a lower --lr"
    ):
        run(config, out=tmp_path)


def test_nothing_is_printed_without_a_terminal(
    tmp_path: Path, small: Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    run(small_config(epochs=1), out=tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_bar_is_shown_on_request(
    tmp_path: Path, small: Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    result: Result = run(small_config(), out=tmp_path, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "lenet-300-100 digits q=0.99" in err
    assert "epoch 2/2" in err
    assert f"validation {100 * result.validation_accuracy:.2f} %" in err


def test_a_log_that_was_cut_in_the_middle_of_a_line_can_be_continued(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"event": "epoch", "epoch": 1}\n{"event": "epoch", "epoch": 2}\n{"eve')
    log = MetricsLog(path)
    log.on_start(epochs=3, steps=5, first=2)
    log.on_epoch(Epoch(2, 0.5, 0.9, 0.1, 1.0, 40))
    assert [line["epoch"] for line in read_metrics(path)] == [1, 2]
    assert read_metrics(path)[1]["loss"] == 0.5
