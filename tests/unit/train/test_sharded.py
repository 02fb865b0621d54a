"""Frozen modules under FSDP2, in one process."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import freezepack.torch as fpk
from freezepack.errors import CheckpointError, SelectionError
from freezepack.nn.frozen import find_overlays
from freezepack.nn.state import dense_state
from freezepack.train.freezing import check_frozen
from tests.unit.train.modules import equal, fresh, train


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Any]:
    from torch import distributed
    from torch.distributed.device_mesh import init_device_mesh

    store = f"file://{tmp_path / 'store'}"
    distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


def test_a_sharded_module_is_refused_before_anything_changes(mesh: Any, tmp_path: Path) -> None:
    from torch.distributed.fsdp import fully_shard

    model, batch = fresh("twice")
    fully_shard(model.get_submodule("head"), mesh=mesh)
    before = model.state_dict()["head.weight"].full_tensor().clone()
    with pytest.raises(SelectionError, match=r"'head' is sharded by FSDP.*freeze first"):
        fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    assert torch.equal(model.state_dict()["head.weight"].full_tensor(), before)
    assert not list(find_overlays(model))
    for refused in (fpk.save_model, fpk.load_into):
        with pytest.raises(CheckpointError, match=r"head\.(bias|weight) is a DTensor"):
            refused(model, tmp_path / "model.fpk")
    assert not (tmp_path / "model.fpk").exists()


def test_a_frozen_module_can_be_sharded_trained_and_gathered(mesh: Any, tmp_path: Path) -> None:
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
    from torch.distributed.fsdp import fully_shard

    model, batch = fresh("group norm")
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    alone, gathered = copy.deepcopy(model), copy.deepcopy(model)
    fully_shard(model, mesh=mesh)
    train(model, batch)
    train(alone, batch)
    with pytest.raises(CheckpointError, match="full state dict"):
        fpk.save_model(model, tmp_path / "model.fpk")
    full = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
    gathered.load_state_dict(full)
    check_frozen(gathered)
    assert equal(dense_state(gathered), dense_state(alone))
    fpk.save_model(gathered, tmp_path / "model.fpk")
    assert equal(fpk.load_file(tmp_path / "model.fpk"), dense_state(alone))
