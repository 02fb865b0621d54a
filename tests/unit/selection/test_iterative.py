"""Iterative selection: exact counts, no return without regrowth, return with it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from freezepack.errors import SelectionError, UnknownNameError
from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights, fill_module
from freezepack.scores.magnitude import magnitude
from freezepack.scores.snip import snip
from freezepack.scores.synflow import synflow
from freezepack.scores.task import Scores, ScoreTask
from freezepack.selection.iterative import force, iterative, kept_counts
from freezepack.selection.one_shot import Strategy, one_shot
from freezepack.selection.topk import Masks


def make_task(model: nn.Module) -> ScoreTask:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(64, 1, 28, 28, generator=generator)
    return ScoreTask(eligible_weights(model), inputs=inputs, targets=torch.arange(64) % 10)


def lenet() -> nn.Module:
    model = build_model("lenet-300-100")
    fill_module(model, seed=9)
    return model


class Turns:
    """A score that prefers other weights in each round."""

    def __init__(self, *rounds: list[float]) -> None:
        self.rounds = list(rounds)
        self.masks: list[list[bool] | None] = []

    def __call__(self, model: nn.Module, task: ScoreTask) -> Scores:
        self.masks.append(task.masks["weight"][0].tolist() if task.masks else None)
        return {"weight": torch.tensor([self.rounds[len(self.masks) - 1]]).double()}


ROUNDS = ([4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0])


def test_without_regrowth_the_last_mask_lies_in_all_masks_before() -> None:
    score = Turns(*ROUNDS)
    options = {"steps": 3, "schedule": "linear"}
    masks = iterative(nn.Linear(4, 1), score, ScoreTask(("weight",)), "0.75", **options)  # type: ignore[arg-type]
    assert score.masks == [None, [True, True, True, False], [False, True, True, False]]
    assert masks["weight"].tolist() == [[False, False, True, False]]


def test_with_regrowth_a_weight_comes_back() -> None:
    score = Turns(*ROUNDS)
    options = {"steps": 3, "schedule": "linear"}
    masks = force(nn.Linear(4, 1), score, ScoreTask(("weight",)), "0.75", **options)  # type: ignore[arg-type]
    assert score.masks == [None, [True, True, True, False], [False, False, True, True]]
    assert masks["weight"].tolist() == [[False, False, False, True]]


@pytest.mark.parametrize("strategy", [iterative, force])
def test_one_round_is_one_shot(strategy: Strategy) -> None:
    model = lenet()
    task = make_task(model)
    once = one_shot(model, snip, task, "0.99")
    masks = strategy(model, snip, task, "0.99", steps=1)  # type: ignore[call-arg]
    assert all((masks[name] == once[name]).all() for name in once)


@pytest.mark.parametrize("strategy", [iterative, force])
@pytest.mark.parametrize("budget", ["global", "erk"])
def test_the_count_is_exact_and_the_network_unchanged(strategy: Strategy, budget: str) -> None:
    model = lenet()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    masks = strategy(model, snip, make_task(model), "0.99", steps=4, budget=budget)  # type: ignore[call-arg]
    assert sum(int(mask.sum()) for mask in masks.values()) == 2_662
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)


class Watched:
    """SNIP, with the masks that it was called with."""

    def __init__(self) -> None:
        self.rounds: list[Masks] = []

    def __call__(self, model: nn.Module, task: ScoreTask) -> Scores:
        self.rounds.append(dict(task.masks or {}))
        return snip(model, task)


@pytest.mark.parametrize(("strategy", "returns"), [(force, True), (iterative, False)])
def test_force_brings_weights_of_a_real_network_back_and_iterative_snip_never_does(
    strategy: Strategy, returns: bool
) -> None:
    model, score = lenet(), Watched()
    task = make_task(model)
    last = strategy(model, score, task, "0.995", steps=6)  # type: ignore[call-arg]
    back = sum(
        int((later[name] & ~earlier[name]).sum())
        for earlier, later in pairwise([*score.rounds[1:], last])
        for name in task.names
    )
    assert (back > 0) is returns


def test_synflow_in_many_rounds_leaves_no_layer_empty_where_one_round_does() -> None:
    model = lenet()
    task, rate = ScoreTask(eligible_weights(model)), "0.9998"
    once = one_shot(model, synflow, task, rate)
    many = iterative(model, synflow, task, rate, steps=30)
    assert min(int(mask.sum()) for mask in once.values()) == 0
    assert min(int(mask.sum()) for mask in many.values()) > 0


def test_rounds_fall_to_the_exact_count() -> None:
    assert kept_counts(430_500, 2_152, 4, "exponential") == [114_470, 30_437, 8_093, 2_152]
    assert kept_counts(430_500, 2_152, 4, "linear") == [323_413, 216_326, 109_239, 2_152]
    assert kept_counts(10, 10, 3, "exponential") == [10, 10, 10]
    for schedule in ("exponential", "linear"):
        kept = kept_counts(1000, 7, 100, schedule)
        assert kept == sorted(kept, reverse=True)


def test_wrong_options_are_refused_before_anything_is_scored() -> None:
    def never(model: nn.Module, task: ScoreTask) -> Scores:
        raise RuntimeError("scored")

    layer, task = nn.Linear(10, 10), ScoreTask(("weight",))
    with pytest.raises(SelectionError, match="number of rounds is 0, expected 1 or more"):
        iterative(layer, never, task, "0.9", steps=0)
    with pytest.raises(UnknownNameError, match="no schedule of rounds named 'cosine'"):
        force(layer, never, task, "0.9", schedule="cosine")
    with pytest.raises(SelectionError, match="leaves none of 100 weights"):
        iterative(layer, never, task, "0.999")


def test_a_score_that_is_no_number_is_refused_in_any_round() -> None:
    rounds = Turns([4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, np.nan])
    with pytest.raises(SelectionError, match="score 3 of 'weight' is NaN"):
        iterative(nn.Linear(4, 1), rounds, ScoreTask(("weight",)), "0.75", steps=2)


def test_magnitude_is_the_same_in_any_number_of_rounds() -> None:
    model = lenet()
    task = ScoreTask(eligible_weights(model))
    once = one_shot(model, magnitude, task, "0.9")
    masks = iterative(model, magnitude, task, "0.9", steps=7)
    assert all((masks[name] == once[name]).all() for name in once)
