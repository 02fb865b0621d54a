"""A resumed run is the uninterrupted run, bit for bit."""

import json
from pathlib import Path

import pytest
import torch

from freezepack.errors import CheckpointError, OutputExistsError
from freezepack.train import run
from freezepack.train.checkpoint import load_checkpoint
from freezepack.train.config import RunConfig
from freezepack.train.loop import Callback, Epoch
from tests.unit.train.helpers import small_config, tree

pytestmark = pytest.mark.usefixtures("small")


class Interrupt(Callback):
    """Stop a run as a user would, in the middle of an epoch."""

    def __init__(self, after_epoch: int) -> None:
        self.after_epoch = after_epoch
        self.done = 0

    def on_epoch(self, epoch: Epoch) -> None:
        self.done = epoch.number

    def on_step(self, step: int, loss: torch.Tensor) -> None:
        if self.done == self.after_epoch and step == 3:
            raise KeyboardInterrupt


def lines(folder: Path) -> list[dict[str, object]]:
    timed = ("seconds", "samples_per_second")
    found = [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in timed} for line in found]


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "lenet5-caffe", "optimizer": "adam", "accumulate": 2},
        {"optimizer": "sgd", "lr": 0.05, "clip": 1.0, "freezing_rate": "0"},
        {"fill": "zeros", "optimizer": "adamw"},
    ],
)
def test_a_resumed_run_is_bit_equal_to_an_uninterrupted_one(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    config = small_config(epochs=3, batch_size=8, **settings)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    expected = run(config, out=whole)
    for stop in (0, 1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(config, out=parts, resume=True, callbacks=[Interrupt(0 if stop == 0 else stop)])
    found = run(config, out=parts, resume=True)
    assert found.test_accuracy == expected.test_accuracy
    assert lines(parts) == lines(whole)
    assert len(lines(whole)) == 4
    one, other = (load_checkpoint(folder / "model.pt") for folder in (whole, parts))
    assert list(one.state) == list(other.state)
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)
    assert one.training == other.training == {}
    assert tree(parts) == tree(whole) == {"config.json", "metrics.jsonl", "model.pt"}


def test_a_finished_run_is_only_evaluated_again(tmp_path: Path) -> None:
    config = small_config(epochs=1)
    first = run(config, out=tmp_path)
    before = (tmp_path / "model.pt").read_bytes()
    again = run(config, out=tmp_path, resume=True)
    assert again.test_accuracy == first.test_accuracy
    assert again.samples_per_second == 0
    assert (tmp_path / "model.pt").read_bytes() == before


def test_a_run_is_neither_replaced_nor_mixed_up_by_accident(tmp_path: Path) -> None:
    config = small_config(epochs=1)
    run(config, out=tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in tree(tmp_path)}
    with pytest.raises(OutputExistsError, match="--resume continues it, --force replaces it"):
        run(config, out=tmp_path)
    other = config.changed(lr=0.5, seed=2)
    problem = r"another run, cannot resume: lr was 0\.01, is 0\.5; seed was 1, is 2"
    with pytest.raises(CheckpointError, match=problem):
        run(other, out=tmp_path, resume=True)
    assert {name: (tmp_path / name).read_bytes() for name in tree(tmp_path)} == before


def test_force_begins_anew(tmp_path: Path) -> None:
    config = small_config(epochs=1)
    run(config, out=tmp_path)
    other = RunConfig(**{**json.loads(config.to_json()), "seed": 2})
    run(other, out=tmp_path, force=True)
    assert load_checkpoint(tmp_path / "model.pt").record.seed == 2
    assert [line["event"] for line in lines(tmp_path)] == ["epoch", "end"]


def test_resuming_without_the_configuration_is_refused(tmp_path: Path) -> None:
    config = small_config(epochs=1)
    run(config, out=tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        run(config, out=tmp_path, resume=True)
    (tmp_path / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        run(config, out=tmp_path, resume=True)
