"""Weights under a supermask: nothing of them is trained, the number kept is exact."""

import pytest
import torch
from torch import nn

from freezepack.errors import SelectionError
from freezepack.nn.frozen import frozen_masks
from freezepack.nn.state import dense_state
from freezepack.nn.supermask import (
    Places,
    attach_scores,
    keep_highest,
    load_scores,
    popups_of,
    removed_masks,
)


def places(free: list[int], pruned: list[int]) -> Places:
    return Places(torch.tensor(free), torch.tensor(pruned, dtype=torch.int64))


def make_layer() -> nn.Linear:
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(1.0, 7.0).reshape(2, 3))
    # 0 is pruned and 5 is locked
    where = {"weight": places([1, 2, 3, 4], [0])}
    attach_scores(layer, where, {"weight": torch.tensor([0.1, -0.4, 0.3, -0.2])})
    return layer


def test_the_highest_absolute_scores_are_kept_beside_what_is_locked() -> None:
    layer = make_layer()
    keep_highest(layer, 3)
    assert layer.weight.tolist() == [[0.0, 0.0, 3.0], [4.0, 0.0, 6.0]]
    assert removed_masks(layer)["weight"].tolist() == [[True, True, False], [False, True, False]]
    assert (frozen_masks(layer)["weight"] == removed_masks(layer)["weight"]).all()
    assert torch.equal(dense_state(layer)["weight"], layer.weight)


def test_only_scores_are_trained() -> None:
    layer = make_layer()
    trained = {name: p.shape for name, p in layer.named_parameters() if p.requires_grad}
    assert trained == {"parametrizations.weight.original": (4,)}


def test_the_gradient_of_a_score_is_that_of_a_factor_on_its_weight() -> None:
    layer = make_layer()
    keep_highest(layer, 3)
    inputs = torch.tensor([[1.0, 10.0, 100.0]])
    (layer(inputs) * torch.tensor([[1.0, -1.0]])).sum().backward()
    scores = popups_of(layer)["weight"][1]
    assert scores.grad is not None
    # weight times input times slope of the output, turned where the score is negative
    assert scores.grad.tolist() == [2.0 * 10, -3.0 * 100, 4.0 * 1 * -1, -5.0 * 10 * -1]


def test_ties_are_kept_in_index_order_and_the_number_is_exact() -> None:
    layer = make_layer()
    load_scores(layer, {"weight": torch.tensor([0.5, -0.5, 0.5, 0.5])})
    keep_highest(layer, 3)
    assert layer.weight.tolist() == [[0.0, 2.0, 3.0], [0.0, 0.0, 6.0]]


def test_layers_compete_or_keep_their_own_number() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    names = ("0.weight", "1.weight")
    high, low = torch.full((4,), 2.0), torch.full((4,), 1.0)
    everything = {name: places([0, 1, 2, 3], []) for name in names}
    attach_scores(model, everything, dict(zip(names, (high, low), strict=True)))
    keep_highest(model, 5)
    assert [int((~mask).sum()) for mask in removed_masks(model).values()] == [4, 1]
    keep_highest(model, {"0.weight": 1, "1.weight": 3})
    assert [int((~mask).sum()) for mask in removed_masks(model).values()] == [1, 3]


def test_convolutions_in_channels_last_are_masked_at_the_same_places() -> None:
    conv = nn.Conv2d(2, 3, 2, bias=False)
    plain = conv.weight.detach().clone()
    pruned = [0, 5]
    free = [i for i in range(24) if i not in pruned and i % 3]
    generator = torch.Generator().manual_seed(1)
    scores = {"weight": torch.rand(len(free), generator=generator)}
    attach_scores(conv, {"weight": places(free, pruned)}, scores)
    keep_highest(conv, 12)
    first = conv.weight.detach().clone()
    conv.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert torch.equal(conv.weight, first)
    assert torch.equal(first != 0, torch.from_numpy(~removed_masks(conv)["weight"]))
    assert torch.equal(first[first != 0], plain[first != 0])


@pytest.mark.parametrize(
    ("count", "problem"),
    [(0, "1 are locked and 4 free: expected 1 to 5, so lock less"), (6, "1 to 5, so prune less")],
)
def test_impossible_numbers_are_refused(count: int, problem: str) -> None:
    with pytest.raises(SelectionError, match=problem):
        keep_highest(make_layer(), count)


def test_a_search_without_anything_free_is_refused() -> None:
    with pytest.raises(SelectionError, match="no weight is free"):
        attach_scores(nn.Linear(1, 1), {"weight": places([], [0])}, {"weight": torch.zeros(0)})


def test_a_weight_under_a_supermask_takes_no_values() -> None:
    layer = make_layer()
    with pytest.raises(NotImplementedError, match="is not trained and takes no values"):
        layer.weight = torch.zeros(2, 3)
