"""Freezing with every strategy: exact counts, warnings of empty layers, balanced batches."""

import logging

import pytest
import torch
from torch import nn

from freezepack.errors import SelectionError, UnknownNameError
from freezepack.models.build import build_model
from freezepack.nn.frozen import frozen_masks
from freezepack.selection import STRATEGIES
from freezepack.train.config import RunConfig
from freezepack.train.data.dataset import load_data
from freezepack.train.freezing import check_frozen, freeze
from freezepack.train.order import Purpose, draw_balanced, draw_order
from freezepack.train.session import begin


def batch(count: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(count, 1, 28, 28, generator=generator), torch.arange(count) % 10


@pytest.mark.parametrize("fill", ["seed", "zeros"])
@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_every_strategy_freezes_and_prunes_with_the_exact_count(strategy: str, fill: str) -> None:
    model = build_model("lenet-300-100")
    options = {"steps": 3} if strategy in ("iterative", "force") else {}
    freeze(
        model,
        rate="0.98",
        batch=batch(),
        seed=4,
        base=fill,
        strategy=strategy,
        strategy_args=options,
    )
    assert sum(int(mask.sum()) for mask in frozen_masks(model).values()) == 5_324
    check_frozen(model)


def test_a_budget_gives_each_layer_its_density() -> None:
    model = build_model("lenet-300-100")
    freeze(model, rate="0.9", batch=batch(), seed=4, strategy_args={"budget": "uniform"})
    counts = {name: int(mask.sum()) for name, mask in frozen_masks(model).items()}
    assert counts == {"fc1.weight": 23_520, "fc2.weight": 3_000, "fc3.weight": 100}


def test_an_unknown_option_is_refused_and_the_weights_stay() -> None:
    model = nn.Linear(20, 20)
    before = model.weight.detach().clone()
    with pytest.raises(UnknownNameError, match="no option of strategy 'force' named 'stepps'"):
        freeze(
            model,
            rate="0.9",
            score="magnitude",
            seed=1,
            strategy="force",
            strategy_args={"stepps": 3},
        )
    assert torch.equal(model.weight, before)


@pytest.mark.parametrize(("fill", "level"), [("zeros", logging.WARNING), ("seed", logging.INFO)])
def test_a_layer_of_which_nothing_is_trained_is_named(
    fill: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    model = nn.Sequential(nn.Linear(10, 10), nn.Linear(10, 10, bias=False))
    caplog.set_level(logging.INFO, "freezepack")
    with torch.no_grad():
        model.get_parameter("1.weight").zero_()
    freeze(model, rate="0.9", score="magnitude", base=None if fill == "seed" else fill)
    (record,) = [r for r in caplog.records if "1.weight" in r.getMessage()]
    assert record.levelno == level


def test_a_balanced_batch_has_as_many_of_each_class_in_drawn_order() -> None:
    labels = torch.tensor([0] * 5 + [1] * 30 + [2] * 7)
    order = draw_balanced(labels, 12, Purpose.score_batch, seed=3)
    assert torch.bincount(labels[order]).tolist() == [4, 4, 4]
    drawn = draw_order(len(labels), Purpose.score_batch, seed=3).tolist()
    places = [drawn.index(position) for position in order.tolist()]
    assert places == sorted(places)
    # of each class the first in that order
    ones = [position for position in drawn if labels[position] == 1][:4]
    assert [p for p in order.tolist() if labels[p] == 1] == ones
    assert len(draw_balanced(labels, 14, Purpose.score_batch, seed=3)) == 12


@pytest.mark.parametrize("count", [2, 18])
def test_a_balanced_batch_that_cannot_be_is_refused(count: int) -> None:
    labels = torch.tensor([0] * 5 + [1] * 30 + [2] * 7)
    with pytest.raises(SelectionError, match="a balanced score batch of"):
        draw_balanced(labels, count, Purpose.score_batch, seed=3)


def test_a_run_scores_with_the_batch_it_is_told_to() -> None:
    data = load_data("digits")
    settings = {"data": "digits", "model": "lenet-300-100", "freezing_rate": "0.98"}
    plain = begin(RunConfig(**settings), data).record.masks  # type: ignore[arg-type]
    balanced = begin(RunConfig(**settings, score_balanced=True), data).record.masks  # type: ignore[arg-type]
    forced = RunConfig(**settings, strategy="force", strategy_args={"steps": 2})  # type: ignore[arg-type]
    for other in (balanced, begin(forced, data).record.masks):
        assert any((plain[name] != other[name]).any() for name in plain)
