"""Modules and batches that cannot be frozen: each is refused by name and left as it was."""

from typing import Any

import pytest
import torch
from torch import nn

import freezepack.torch as fpk
from freezepack.errors import SelectionError
from freezepack.nn.record import record_of
from freezepack.nn.state import dense_state
from tests.unit.train.modules import equal


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (nn.LazyLinear(3), "weight has no shape yet: run the model once"),
        (nn.Linear(4, 4, device="meta"), "weight is on the device 'meta'.*to_empty"),
        (nn.LayerNorm((4, 4)), "no weight is eligible"),
        (nn.PReLU(), "no weight is eligible"),
        (nn.Sequential(), "no weight is eligible"),
    ],
)
def test_models_that_cannot_be_frozen_are_refused_by_name(model: nn.Module, problem: str) -> None:
    with pytest.raises(SelectionError, match=problem):
        fpk.freeze(model, rate=0.5, score="random", seed=1)


@pytest.mark.parametrize("score", ["snip", "grasp"])
@pytest.mark.parametrize(
    ("batch", "problem"),
    [
        (None, "needs a batch of inputs and targets, none was given"),
        ((torch.ones(2, 4), None), "targets of the batch are NoneType, expected Tensor"),
        ((torch.ones(2, 4), [0, 1]), "targets of the batch are list, expected Tensor"),
        ((torch.ones(2, 4),), "batch is 1 parts, expected a pair of inputs and targets"),
        (torch.ones(2, 4), "batch is Tensor, expected a pair of inputs and targets"),
        ((torch.ones(2, 4), torch.tensor([0])), "2 inputs and 1 targets"),
        ((torch.ones(0, 4), torch.tensor([]).long()), "0 inputs and 0 targets"),
    ],
)
def test_a_batch_without_labels_is_refused_and_the_weights_stay(
    score: str, batch: Any, problem: str
) -> None:
    model = nn.Linear(4, 4)
    before = dense_state(model)
    with pytest.raises(SelectionError, match=problem):
        fpk.freeze(model, rate=0.5, score=score, batch=batch, seed=1)
    assert equal(dense_state(model), before)
    assert record_of(model) is None
