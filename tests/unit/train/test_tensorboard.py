"""Scalars for TensorBoard, with a writer that takes notes in place of the package."""

import importlib
import json
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from freezepack.errors import MissingExtraError
from freezepack.train import RunConfig, run, tensorboard
from freezepack.train.loop import Epoch
from freezepack.train.tensorboard import TensorBoard
from tests.cli.conftest import Command, command

__all__ = ["command"]

CONFIG = RunConfig(model="lenet-300-100", data="digits", freezing_rate="0.99", epochs=2)
NAMES = ["loss/train", "accuracy/validation", "learning_rate", "images_per_second"]


class Notes:
    """Stands in for SummaryWriter."""

    made: list["Notes"]

    def __init__(self, folder: str, purge_step: int) -> None:
        self.folder, self.purge_step, self.closed = folder, purge_step, False
        self.scalars: list[tuple[str, float, int]] = []
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"events.{purge_step}").write_text("")
        Notes.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))

    def flush(self) -> None:
        assert not self.closed

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[Notes]:
    def load(name: str) -> ModuleType | SimpleNamespace:
        fake = SimpleNamespace(SummaryWriter=Notes)
        return fake if name == "torch.utils.tensorboard" else importlib.import_module(name)

    monkeypatch.setattr(tensorboard, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr(tensorboard, "import_module", load)
    Notes.made = []
    return Notes.made


@pytest.fixture
def _absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)


def test_the_scalars_are_those_of_the_epoch_at_its_number(
    notes: list[Notes], tmp_path: Path
) -> None:
    watcher = TensorBoard(tmp_path / "events")
    assert not notes  # nothing is written before training starts
    watcher.on_start(epochs=5, steps=10, first=3)
    watcher.on_epoch(Epoch(3, 0.25, 0.875, 0.01, 2.0, 500))
    watcher.on_epoch(Epoch(4, 0.125, 1.0, 0.005, 0.0, 500))
    watcher.on_end()
    (writer,) = notes
    assert (writer.folder, writer.purge_step) == (str(tmp_path / "events"), 3)
    assert writer.scalars == [
        *zip(NAMES, [0.25, 0.875, 0.01, 250.0], [3] * 4, strict=True),
        *zip(NAMES, [0.125, 1.0, 0.005, 0.0], [4] * 4, strict=True),
    ]
    assert writer.closed


def test_a_run_that_never_started_ends_without_harm(notes: list[Notes], tmp_path: Path) -> None:
    TensorBoard(tmp_path / "events").on_end()
    assert not notes


def test_a_run_writes_what_its_log_says(notes: list[Notes], tmp_path: Path) -> None:
    run(CONFIG, out=tmp_path / "a", progress=False, tensorboard=True)
    (writer,) = notes
    lines = (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()
    epochs: list[dict[str, Any]] = [json.loads(line) for line in lines][:2]
    assert writer.scalars[0::4] == [("loss/train", e["loss"], e["epoch"]) for e in epochs]
    accuracies = [("accuracy/validation", e["validation_accuracy"], e["epoch"]) for e in epochs]
    assert writer.scalars[1::4] == accuracies
    assert writer.folder == str(tmp_path / "a" / "tensorboard")
    assert writer.closed


def test_a_run_that_is_replaced_takes_its_events_along(notes: list[Notes], tmp_path: Path) -> None:
    out = tmp_path / "a"
    run(CONFIG.changed(epochs=1), out=out, progress=False, tensorboard=True)
    (out / "tensorboard" / "old").write_text("")
    run(CONFIG.changed(epochs=1), out=out, progress=False, tensorboard=True, force=True)
    assert [path.name for path in (out / "tensorboard").iterdir()] == ["events.1"]
    run(CONFIG.changed(epochs=1), out=out, progress=False, force=True)
    assert sorted(path.name for path in out.iterdir()) == [
        "config.json",
        "metrics.jsonl",
        "model.pt",
    ]


@pytest.mark.usefixtures("_absent")
def test_without_the_package_nothing_is_started(tmp_path: Path) -> None:
    expected = r"--tensorboard needs tensorboard, .*pip install 'freezepack\[tensorboard\]'"
    with pytest.raises(MissingExtraError, match=expected):
        run(CONFIG, out=tmp_path / "a", tensorboard=True)
    with pytest.raises(MissingExtraError, match=expected):
        TensorBoard(tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.usefixtures("_absent")
def test_the_command_names_the_extra_and_leaves_the_folder_alone(
    command: Command, tmp_path: Path
) -> None:
    done = command("train", "--data", "digits", "--tensorboard", "--out", tmp_path / "a")
    assert (done.code, done.out) == (1, "")
    assert "pip install 'freezepack[tensorboard]'" in done.err
    assert not (tmp_path / "a").exists()


def test_the_command_hands_the_wish_to_the_run(
    notes: list[Notes], command: Command, tmp_path: Path
) -> None:
    options = ("--data", "digits", "--model", "lenet-300-100", "--freezing-rate", "0.99")
    out = tmp_path / "a"
    done = command("train", *options, "--epochs", 1, "--tensorboard", "--out", out)
    assert (done.code, done.err) == (0, "")
    assert [len(writer.scalars) for writer in notes] == [4]
    assert (out / "model.fpk").exists()


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="tensorboard is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_the_scalars_back(tmp_path: Path) -> None:
    reader: Any = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    run(CONFIG, out=tmp_path / "a", progress=False, tensorboard=True)
    events: Any = reader.EventAccumulator(str(tmp_path / "a" / "tensorboard"))
    events.Reload()
    assert sorted(events.Tags()["scalars"]) == sorted(NAMES)
    assert [event.step for event in events.Scalars("loss/train")] == [1, 2]
