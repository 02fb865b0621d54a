"""Checkpoints are read without running anything, and refused in words."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from freezepack.errors import CheckpointError
from freezepack.nn.record import FreezeRecord
from freezepack.train.checkpoint import (
    Checkpoint,
    load_checkpoint,
    pack_mask,
    save_checkpoint,
    unpack_mask,
)
from freezepack.types import Draw, Init


def make() -> Checkpoint:
    mask = np.zeros((3, 5), np.bool_)
    mask[0, 0] = mask[1, 4] = mask[2, 4] = True
    record = FreezeRecord(
        "seed", 2**64 - 1, "0.8", "snip", {"w": Init(Draw.normal, 0x3C000000, 0, 1)}, {"w": mask}
    )
    state = {"b": torch.zeros(3), "w": torch.arange(15.0).reshape(3, 5)}
    return Checkpoint("lenet-300-100", {}, record, state, {"data": "digits"}, {"epoch": 2})


def edited(path: Path, **changes: Any) -> None:
    content = torch.load(path, weights_only=True)
    content["freezepack"] |= changes
    torch.save(content, path)


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, make())
    found, made = load_checkpoint(path), make()
    assert found.record.masks["w"].tolist() == made.record.masks["w"].tolist()
    assert found.record.init == made.record.init
    assert (found.record.seed, found.record.fill) == (2**64 - 1, "seed")
    assert torch.equal(found.state["w"], made.state["w"])
    assert (found.metadata, found.training) == ({"data": "digits"}, {"epoch": 2})


def test_the_layout_is_plain_data(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, make())
    content = torch.load(path, weights_only=True)
    assert list(content) == ["freezepack", "state_dict", "training"]
    assert content["freezepack"]["init"] == {"w": ["normal", 0x3C000000, 0, 1]}
    assert content["freezepack"]["masks"]["w"].tolist() == [0b00000001, 0b01000010]


def test_masks_are_bits_from_the_lowest() -> None:
    mask = np.array([True, False, False, False, False, False, False, False, True, True])
    assert pack_mask(mask).tolist() == [1, 3]
    assert unpack_mask(torch.tensor([1, 3], dtype=torch.uint8), (2, 5)).tolist() == [
        [True, False, False, False, False],
        [False, False, False, True, True],
    ]
    for bits in ([1], [1, 3, 0], [1, 4]):
        with pytest.raises(ValueError, match="bytes, expected 2, spare bits 0"):
            unpack_mask(torch.tensor(bits, dtype=torch.uint8), (10,))


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "model.pt"
    torch.save({"freezepack": Evil()}, path)
    with pytest.raises(CheckpointError, match="cannot be read with weights_only=True"):
        load_checkpoint(path)
    path.write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(CheckpointError, match="cannot be read with weights_only=True"):
        load_checkpoint(path)
    assert not (tmp_path / "ran").exists()


def test_missing_cut_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with pytest.raises(CheckpointError, match=r"model\.pt does not exist"):
        load_checkpoint(path)
    save_checkpoint(path, make())
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="cannot be read"):
            load_checkpoint(path)
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match="is not a checkpoint of freezepack train"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"checkpoint": 2}, "checkpoint version 2, expected 1: upgrade"),
        ({"init": {"w": ["gamma", 1, 0, 1]}}, "breaks the checkpoint layout: KeyError"),
        ({"masks": {"x": torch.zeros(1)}}, "breaks the checkpoint layout: KeyError"),
        ({"masks": {"w": torch.zeros(1, dtype=torch.uint8)}}, "a mask has 1 bytes, expected 2"),
        ({"masks": 3}, "breaks the checkpoint layout"),
    ],
)
def test_a_broken_layout_is_refused(tmp_path: Path, changes: Any, problem: str) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, make())
    edited(path, **changes)
    with pytest.raises(CheckpointError, match=problem):
        load_checkpoint(path)


def test_an_error_while_writing_keeps_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, make())
    before = path.read_bytes()

    def fail(content: object, stream: Any) -> None:
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, make())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]
