"""SynFlow is exact: products over paths, the same sum in each layer, no data."""

import pytest
import torch
from torch import nn

from freezepack.errors import SelectionError
from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights, fill_module
from freezepack.scores.synflow import synflow
from freezepack.scores.task import Scores, ScoreTask


def sums(scores: Scores) -> list[float]:
    return [float(part.sum()) for part in scores.values()]


def test_scores_of_a_perceptron_are_row_and_column_products() -> None:
    net = nn.Sequential(
        nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 2, bias=False)
    ).double()
    first, second = (net.get_parameter(f"{i}.weight").detach().abs() for i in (0, 2))
    scores = synflow(net, ScoreTask(("0.weight", "2.weight"), inputs=torch.zeros(1, 3)))
    torch.testing.assert_close(scores["0.weight"], first * second.sum(0)[:, None])
    torch.testing.assert_close(scores["2.weight"], second * first.sum(1)[None, :])


@pytest.mark.parametrize("name", ["lenet-300-100", "conv6"])
def test_the_scores_of_each_layer_add_up_to_the_same_number(name: str) -> None:
    model = build_model(name)
    fill_module(model, seed=3)
    found = sums(synflow(model, ScoreTask(eligible_weights(model))))
    assert found == pytest.approx([found[0]] * len(found), rel=1e-12)
    assert found[0] > 0


def test_the_sum_falls_with_a_pruned_weight_in_every_layer_alike() -> None:
    model = build_model("conv2")
    fill_module(model, seed=3)
    names = eligible_weights(model)
    masks = {n: torch.rand(model.get_parameter(n).shape).numpy() < 0.3 for n in names}
    pruned = synflow(model, ScoreTask(names, masks=masks))
    kept = [float(part[torch.from_numpy(masks[name])].sum()) for name, part in pruned.items()]
    assert kept == pytest.approx([kept[0]] * len(kept), rel=1e-12)
    assert kept[0] < sums(synflow(model, ScoreTask(names)))[0] / 10


def test_signs_and_the_content_of_the_batch_play_no_part() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    names = ("0.weight", "3.weight")
    first = synflow(net, ScoreTask(names, inputs=torch.zeros(5, 3)))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.neg_()
    again = synflow(net, ScoreTask(names, inputs=torch.randn(2, 3)))
    assert all(torch.equal(first[name], again[name]) for name in names)


def test_deep_networks_overflow_in_float32_only() -> None:
    deep = nn.Sequential(*(nn.Linear(64, 64, bias=False) for _ in range(40)))
    for parameter in deep.parameters():
        nn.init.normal_(parameter, std=1.0)
    task = ScoreTask(("0.weight",), inputs=torch.zeros(1, 64))
    assert torch.isfinite(synflow(deep, task)["0.weight"]).all()
    task = ScoreTask(("0.weight",), inputs=torch.zeros(1, 64), dtype=torch.float32)
    with pytest.raises(SelectionError, match=r"the flow through '0\.weight' is not finite"):
        synflow(deep, task)


def test_the_shape_of_an_input_must_be_known() -> None:
    with pytest.raises(SelectionError, match="has no `input_shape`: give a batch"):
        synflow(nn.Linear(2, 2), ScoreTask(("weight",)))
