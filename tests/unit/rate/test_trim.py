"""The last bytes go where they cost least."""

import pytest
import torch
from torch import nn

from freezepack.errors import FreezepackError
from freezepack.rate.optimizer import RateOptimizer
from freezepack.rate.trim import trim


def make(weights: list[float]) -> tuple[nn.Linear, RateOptimizer]:
    layer = nn.Linear(len(weights), 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([weights]))
    optimizer = RateOptimizer(layer.named_parameters(), rate_weight=0.0, steps=10)
    optimizer.set_levels(torch.tensor(weights))
    return layer, optimizer


def test_what_costs_no_loss_goes_first() -> None:
    layer, optimizer = make([1.0] * 60)
    inputs = torch.ones(1, 60)
    inputs[0, ::3] = 0.0  # twenty weights that no input reaches

    def losses() -> list[torch.Tensor]:
        return [(layer(inputs) - layer(inputs).detach() - 1).square().mean()]

    count = trim(optimizer, 45, lambda: int((optimizer.levels != 0).sum()), losses, batch_size=1)
    assert 15 <= count <= 16
    assert int((optimizer.levels == 0).sum()) == count
    assert optimizer.levels[inputs[0] == 1].tolist() == [1.0] * 40
    assert torch.equal(layer.weight[0] == 0, optimizer.levels == 0)


def test_a_file_that_is_small_enough_is_left_alone() -> None:
    layer, optimizer = make([1.0, -1.0])
    before = layer.weight.detach().clone()
    assert trim(optimizer, 100, lambda: 100, list, batch_size=1) == 0
    assert torch.equal(layer.weight.detach(), before)


def test_twos_become_ones_and_signs_stay() -> None:
    layer, optimizer = make([2.0, -2.0])
    inputs = torch.ones(1, 2)

    def losses() -> list[torch.Tensor]:
        return [layer(inputs).square().mean()]

    trim(optimizer, 3, lambda: int(optimizer.levels.abs().sum()), losses, batch_size=1)
    assert sorted(optimizer.levels.abs().tolist()) in ([1.0, 1.0], [1.0, 2.0])
    assert optimizer.levels[0] > 0 > optimizer.levels[1]


def test_a_target_that_nothing_reaches_is_reported() -> None:
    layer, optimizer = make([1.0, 1.0])

    def losses() -> list[torch.Tensor]:
        return [layer(torch.ones(1, 2)).mean()]

    with pytest.raises(FreezepackError, match="100 bytes, expected at most 50: begin with"):
        trim(optimizer, 50, lambda: 100, losses, batch_size=1)
