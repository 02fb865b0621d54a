"""No optimiser moves a frozen weight, not by one bit; masking gradients would let them move."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freezepack.errors import BaseDriftError
from freezepack.nn.record import record_of
from freezepack.train.checkpoint import load_checkpoint
from freezepack.train.freezing import check_frozen
from freezepack.train.loop import fit
from freezepack.train.optimizer import build_optimizer
from freezepack.train.session import Saver, begin, restore
from freezepack.types import RawArray
from tests.unit.train.helpers import frozen_bits, small_config, small_data

RUNS = {
    "sgd": {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.1},
    "adam": {"optimizer": "adam", "weight_decay": 0.1},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.5},
    "clipping": {"optimizer": "adamw", "weight_decay": 0.5, "clip": 0.1},
    "accumulation": {"optimizer": "sgd", "lr": 0.05, "weight_decay": 0.1, "accumulate": 4},
    "convolutions": {"optimizer": "adamw", "weight_decay": 0.5, "model": "lenet5-caffe"},
    "pruned": {"optimizer": "adamw", "weight_decay": 0.5, "fill": "zeros"},
}


def changed(before: dict[str, RawArray], model: nn.Module) -> int:
    after = frozen_bits(model)
    return sum(int((after[name] != bits).sum()) for name, bits in before.items())


@pytest.mark.parametrize("settings", RUNS.values(), ids=RUNS)
def test_no_frozen_weight_moves(settings: dict[str, object]) -> None:
    config = small_config(**settings)
    data = small_data()
    session = begin(config, data)
    before = frozen_bits(session.model)
    values = {name: p.detach().clone() for name, p in session.model.named_parameters()}
    assert sum(len(bits) for bits in before.values()) > 260_000
    fit(session.model, session.optimizer, data, config)
    assert changed(before, session.model) == 0
    check_frozen(session.model)
    for name, parameter in session.model.named_parameters():
        assert not torch.equal(parameter, values[name]), f"{name} was not trained"


def test_no_frozen_weight_moves_when_a_run_is_resumed(tmp_path: Path) -> None:
    config = small_config(optimizer="adamw", weight_decay=0.5, clip=0.1)
    data = small_data()
    first = begin(config, data)
    before = frozen_bits(first.model)
    first.config = config.changed(epochs=9)  # the checkpoint is not the last
    saver = Saver(first, tmp_path / "model.pt")
    fit(first.model, first.optimizer, data, config.changed(epochs=1), callbacks=[saver])
    second = restore(config, load_checkpoint(tmp_path / "model.pt"))
    assert second.epoch == 1
    fit(second.model, second.optimizer, data, config, first=2)
    assert changed(before, second.model) == 0
    check_frozen(second.model)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_masking_gradients_instead_would_fail_the_same_check(name: str) -> None:
    config, data = small_config(**RUNS[name]), small_data()
    frozen = begin(config, data)
    record = record_of(frozen.model)
    assert record is not None
    naive = begin(config.changed(freezing_rate="0"), data).model
    before = {
        key: naive.get_parameter(key).detach().clone().numpy().reshape(-1)[~mask.reshape(-1)]
        for key, mask in record.masks.items()
    }
    masks = {key: torch.from_numpy(mask) for key, mask in record.masks.items()}
    optimizer = build_optimizer(config, naive)
    for _ in range(3):
        optimizer.zero_grad()
        inputs, labels = data.batch(data.split("train"), slice(0, 16))
        F.cross_entropy(naive(inputs), labels).backward()  # type: ignore[no-untyped-call]
        for key, mask in masks.items():
            grad: Tensor | None = naive.get_parameter(key).grad
            assert grad is not None
            grad.mul_(mask)
        optimizer.step()
    moved = sum(
        int((naive.get_parameter(key).detach().numpy().reshape(-1)[~m.reshape(-1)] != old).sum())
        for (key, m), old in zip(record.masks.items(), before.values(), strict=True)
    )
    assert moved > 260_000


def test_one_flipped_bit_of_a_frozen_weight_is_found() -> None:
    session = begin(small_config(), small_data())
    model = copy.deepcopy(session.model)
    check_frozen(model)
    mask = session.record.masks["fc2.weight"].reshape(-1)
    place = int(np.flatnonzero(~mask)[5])
    base = model.get_buffer("fc2.parametrizations.weight.0.base")
    base.view(torch.int32).reshape(-1)[place] ^= 1
    problem = f"fc2.weight: 1 of 30000 frozen weights differ from their base, the first at {place}"
    with pytest.raises(BaseDriftError, match=problem):
        check_frozen(model)
