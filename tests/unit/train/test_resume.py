"""A resumed run is the uninterrupted run, bit for bit."""

import json
from pathlib import Path

import pytest
import torch

from freezepack.errors import CheckpointError, OutputExistsError
from freezepack.train import Finished, run
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


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


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


def test_resuming_a_finished_run_changes_nothing_and_tells_its_result(tmp_path: Path) -> None:
    config = small_config(epochs=1)
    first = run(config, out=tmp_path)
    assert first.samples_per_second > 0
    before = content(tmp_path)

    def fail(finished: Finished) -> None:
        raise AssertionError(finished)

    assert run(config, out=tmp_path, resume=True, on_finish=fail) == first
    assert content(tmp_path) == before


def test_a_run_that_was_interrupted_before_its_evaluation_ends_once(tmp_path: Path) -> None:
    def stop(finished: Finished) -> None:
        raise KeyboardInterrupt

    config = small_config(epochs=1)
    with pytest.raises(KeyboardInterrupt):
        run(config, out=tmp_path, on_finish=stop)
    with (tmp_path / "metrics.jsonl").open("a") as log:
        log.write('{"event": "en')
    result = run(config, out=tmp_path, resume=True)
    assert [line["event"] for line in lines(tmp_path)] == ["epoch", "end"]
    assert result.samples_per_second > 0
    assert run(config, out=tmp_path, resume=True) == result


@pytest.mark.parametrize("after", [0, 1])
def test_an_interrupted_replacement_leaves_the_earlier_run_and_can_be_resumed(
    tmp_path: Path, after: int
) -> None:
    config, out = small_config(batch_size=8), tmp_path / "out"
    run(config, out=out)
    (out / "notes.txt").write_text("mine")
    before = content(out)
    other = config.changed(seed=2)
    with pytest.raises(KeyboardInterrupt):
        run(other, out=out, force=True, callbacks=[Interrupt(after)])
    assert content(out) == before
    with pytest.raises(OutputExistsError, match="--resume continues it"):
        run(other, out=out)
    with pytest.raises(CheckpointError, match="is another run, cannot resume: seed was 2, is 1"):
        run(config, out=out, resume=True)
    assert content(out) == before
    run(other, out=out, resume=True)
    expected = tmp_path / "expected"
    run(other, out=expected)
    assert tree(out) == {"config.json", "metrics.jsonl", "model.pt", "notes.txt"}
    assert lines(out) == lines(expected)
    one, two = (load_checkpoint(folder / "model.pt").state for folder in (out, expected))
    assert all(torch.equal(one[name], two[name]) for name in two)


def test_a_replacement_that_was_given_up_is_begun_anew(tmp_path: Path) -> None:
    config = small_config(epochs=2, batch_size=8)
    run(config, out=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(config.changed(seed=2), out=tmp_path, force=True, callbacks=[Interrupt(1)])
    run(config.changed(seed=3), out=tmp_path, force=True)
    assert load_checkpoint(tmp_path / "model.pt").record.seed == 3
    assert len(lines(tmp_path)) == 3
    assert tree(tmp_path) == {"config.json", "metrics.jsonl", "model.pt"}


@pytest.mark.parametrize("moved", range(5))
def test_an_interrupt_while_files_are_moved_is_made_good(
    tmp_path: Path, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, aside = small_config(epochs=1), tmp_path / ".replacement"
    run(config, out=tmp_path)
    (tmp_path / "model.fpk").write_text("old")
    replace, calls = Path.replace, 0

    def interrupted(path: Path, target: Path) -> Path:
        nonlocal calls
        if path.parent == aside and target.parent == tmp_path:
            calls += 1
            if calls > moved:
                raise KeyboardInterrupt
        return replace(path, target)

    def pack(finished: Finished) -> None:
        (finished.out / "model.fpk").write_text("new")

    other = config.changed(seed=2)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        if moved < 4:
            with pytest.raises(KeyboardInterrupt):
                run(other, out=tmp_path, force=True, on_finish=pack)
        else:
            run(other, out=tmp_path, force=True, on_finish=pack)
    run(other, out=tmp_path, resume=True)
    assert load_checkpoint(tmp_path / "model.pt").record.seed == 2
    assert json.loads((tmp_path / "config.json").read_text())["config"]["seed"] == 2
    assert (tmp_path / "model.fpk").read_text() == "new"
    assert tree(tmp_path) == {"config.json", "metrics.jsonl", "model.pt", "model.fpk"}


def test_a_replacement_without_a_pack_removes_that_of_the_earlier_run(tmp_path: Path) -> None:
    config = small_config(epochs=1)
    run(config, out=tmp_path)
    (tmp_path / "model.fpk").write_text("old")
    run(config, out=tmp_path, force=True)
    assert tree(tmp_path) == {"config.json", "metrics.jsonl", "model.pt"}


def test_a_pack_alone_is_not_replaced_by_accident(tmp_path: Path) -> None:
    (tmp_path / "model.fpk").write_text("old")
    with pytest.raises(OutputExistsError, match=r"holds a run \(model\.fpk\)"):
        run(small_config(), out=tmp_path)


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
