"""Wishes that no training can meet are refused before it starts, and before a folder is made."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from freezepack.errors import CheckpointError
from freezepack.scores.task import ScoreTask
from freezepack.train import RunConfig, run
from freezepack.train.checkpoint import load_checkpoint
from tests.cli.conftest import Command

LAST = ("--data", "digits", "--model", "lenet-300-100", "--epochs", "1")


@pytest.mark.parametrize("method", ["freeze", "edge-popup"])
@pytest.mark.parametrize("rate", ["1", "1.5", "-0.1", "nan", "inf", "-inf", "", "many", "0,5"])
def test_rates_outside_zero_to_one_are_misuse(
    command: Command, tmp_path: Path, rate: str, method: str
) -> None:
    options = ("--freezing-rate", rate, "--method", method, "--out", tmp_path / "run")
    done = command("train", *LAST, *options)
    assert (done.code, done.out) == (2, "")
    assert "freezing rate is " in done.err
    assert "expected 0 <= rate < 1" in done.err or "expected a decimal number" in done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("strategy", [("one-shot",), ("iterative", "--strategy-arg", "steps=2")])
@pytest.mark.parametrize(("rate", "code"), [("0.9999982", 1), ("0.999998", 0)])
def test_a_rate_must_leave_a_weight(
    command: Command, tmp_path: Path, rate: str, code: int, strategy: tuple[str, ...]
) -> None:
    options = ("--freezing-rate", rate, "--strategy", *strategy, "--out", tmp_path / "run")
    done = command("train", *LAST, *options)
    assert done.code == code
    assert (tmp_path / "run").exists() == (code == 0)
    if code:
        assert f"freezing rate {rate} leaves none of 266200 weights to train" in done.err
    else:
        assert "trained     1 of 266,200 weights" in done.out


def test_scores_that_are_no_numbers_are_refused(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradients(model: nn.Module, task: ScoreTask) -> dict[str, torch.Tensor]:
        return {name: model.get_parameter(name).double() * np.nan for name in task.names}

    monkeypatch.setattr("freezepack.scores.snip.mean_gradients", gradients)
    done = command("train", *LAST, "--out", tmp_path / "run")
    assert done.code == 1
    assert "score 0 of 'fc1.weight' is NaN, expected a number" in done.err
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_with_masks_of_another_model_is_not_resumed(tmp_path: Path) -> None:
    config = RunConfig(model="lenet-300-100", data="digits", freezing_rate="0.99", epochs=2)
    run(config.changed(epochs=1), out=tmp_path / "run", progress=False)
    path = tmp_path / "run" / "model.pt"
    content = torch.load(path, weights_only=True)
    masks = content["freezepack"]["masks"]
    masks["fc1.weight"], masks["fc2.weight"] = masks["fc2.weight"], masks["fc1.weight"]
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="a mask has 3750 bytes, expected 29400"):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match="a mask has 3750 bytes"):
        run(config.changed(epochs=1), out=tmp_path / "run", progress=False, resume=True)
