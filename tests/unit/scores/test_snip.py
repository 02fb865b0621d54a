"""SNIP's connection sensitivity, against the definition and by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freezepack.errors import SelectionError
from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights, fill_module
from freezepack.scores.gradient import mean_gradients
from freezepack.scores.snip import snip
from freezepack.scores.task import ScoreTask
from freezepack.selection.topk import select


def batch(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(count, 1, 28, 28, generator=generator)
    return inputs, torch.randint(0, 10, (count,), generator=generator)


def test_the_score_is_the_slope_of_the_loss_along_a_gate_on_each_weight() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    inputs, targets = torch.randn(5, 3).double(), torch.tensor([0, 1, 1, 0, 1])
    scores = snip(model, ScoreTask(("0.weight", "2.weight"), inputs=inputs, targets=targets))
    gates = torch.ones(4, 3, dtype=torch.float64, requires_grad=True)
    weights = {
        **dict(model.named_parameters()),
        "0.weight": gates * model.get_parameter("0.weight"),
    }
    loss = F.cross_entropy(torch.func.functional_call(model, weights, (inputs,)), targets)
    (slope,) = torch.autograd.grad(loss, gates)
    torch.testing.assert_close(scores["0.weight"], slope.abs(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_one_chunk_and_many_give_the_same_mask(chunk: int) -> None:
    model = build_model("lenet-300-100")
    fill_module(model, seed=4)
    inputs, targets = batch(64)
    names = eligible_weights(model)
    masks = [
        select(
            {
                name: part.numpy()
                for name, part in snip(
                    model, ScoreTask(names, inputs=inputs, targets=targets, chunk=size)
                ).items()
            },
            "0.99",
        )
        for size in (64, chunk)
    ]
    assert sum(int(mask.sum()) for mask in masks[0].values()) == 2662
    assert all((masks[0][name] == masks[1][name]).all() for name in names)


def test_unequal_chunks_are_weighted_by_their_length() -> None:
    layer = nn.Linear(2, 2).double()
    inputs, targets = torch.randn(5, 2).double(), torch.tensor([0, 1, 0, 0, 1])
    whole = mean_gradients(layer, ScoreTask(("weight",), inputs=inputs, targets=targets, chunk=5))
    parts = mean_gradients(layer, ScoreTask(("weight",), inputs=inputs, targets=targets, chunk=3))
    torch.testing.assert_close(whole, parts, rtol=1e-13, atol=0)


def test_batch_normalisation_sees_the_batch_as_one_chunk_or_scores_in_eval_mode() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    inputs, targets = torch.randn(300, 3), torch.zeros(300, dtype=torch.int64)
    names = ("0.weight", "2.weight")
    assert snip(model, ScoreTask(names, inputs=inputs, targets=targets))["0.weight"].sum() > 0
    assert model.get_buffer("1.num_batches_tracked").item() == 0
    with pytest.raises(SelectionError, match="needs the 300 examples in one chunk, not 100"):
        snip(model, ScoreTask(names, inputs=inputs, targets=targets, chunk=100))
    snip(model, ScoreTask(names, inputs=inputs, targets=targets, chunk=100, mode="eval"))


def test_dropout_repeats_and_leaves_torchs_generator_alone() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    task = ScoreTask(("0.weight",), inputs=torch.randn(9, 8), targets=torch.zeros(9).long())
    state = torch.get_rng_state()
    first, again = snip(model, task), snip(model, task)
    assert torch.equal(first["0.weight"], again["0.weight"])
    assert torch.equal(torch.get_rng_state(), state)


def test_tied_weights_are_scored_once_with_both_gradients() -> None:
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    model.get_submodule("1").weight = model.get_parameter("0.weight")
    inputs, targets = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    scores = snip(model, ScoreTask(eligible_weights(model), inputs=inputs, targets=targets))
    F.cross_entropy(model(inputs), targets).backward()  # type: ignore[no-untyped-call]
    weight = model.get_parameter("0.weight")
    assert weight.grad is not None
    expected = (weight * weight.grad).abs().double()
    torch.testing.assert_close(scores["0.weight"], expected.detach(), rtol=1e-4, atol=1e-7)


def test_a_weight_without_influence_scores_zero() -> None:
    class Idle(nn.Linear):
        def __init__(self) -> None:
            super().__init__(2, 2)
            self.idle = nn.Parameter(torch.ones(2, 2))

    names = ("idle", "weight")
    task = ScoreTask(names, inputs=torch.ones(1, 2), targets=torch.tensor([0]))
    assert snip(Idle(), task)["idle"].tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("inputs", "targets", "problem"),
    [
        (None, None, "needs a batch of inputs and targets, none was given"),
        (torch.ones(2, 2), None, "needs a batch"),
        (torch.ones(2, 2), torch.zeros(3).long(), "has 2 inputs and 3 targets"),
        (torch.ones(0, 2), torch.zeros(0).long(), "has 0 inputs and 0 targets"),
    ],
)
def test_a_batch_that_is_missing_or_uneven_is_refused(
    inputs: Tensor | None, targets: Tensor | None, problem: str
) -> None:
    with pytest.raises(SelectionError, match=problem):
        snip(nn.Linear(2, 2), ScoreTask(("weight",), inputs=inputs, targets=targets))


def test_an_unknown_mode_is_refused_and_the_mode_of_the_network_kept() -> None:
    layer = nn.Linear(2, 2).eval()
    task = ScoreTask(("weight",), inputs=torch.ones(1, 2), targets=torch.tensor([0]), mode="test")
    with pytest.raises(SelectionError, match="score mode is 'test', expected 'train' or 'eval'"):
        snip(layer, task)
    assert not layer.training


def test_several_batches_are_averaged_each_with_its_own_normalisation() -> None:
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    inputs, targets = torch.randn(8, 3).double(), torch.arange(8) % 2
    names = ("0.weight",)
    halves = [
        mean_gradients(model, ScoreTask(names, inputs=inputs[half], targets=targets[half]))
        for half in (slice(0, 4), slice(4, 8))
    ]
    task = ScoreTask(names, inputs=inputs, targets=targets, batches=2)
    expected = (halves[0]["0.weight"] + halves[1]["0.weight"]) / 2
    torch.testing.assert_close(mean_gradients(model, task)["0.weight"], expected)
    whole = mean_gradients(model, ScoreTask(names, inputs=inputs, targets=targets))
    assert not torch.allclose(whole["0.weight"], expected)
    task = ScoreTask(names, inputs=inputs, targets=targets, batches=9)
    with pytest.raises(SelectionError, match="9 batches of 8 examples in all, expected 1 to 8"):
        snip(model, task)
    task = ScoreTask(names, inputs=inputs, targets=targets, batches=2, chunk=3)
    with pytest.raises(SelectionError, match="needs the 4 examples in one chunk, not 3"):
        snip(model, task)


def test_weights_outside_the_mask_count_as_zero_and_are_scored_with_their_own_value() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    inputs, targets = torch.randn(5, 3).double(), torch.tensor([0, 1, 1, 0, 1])
    mask = torch.tensor([[True, False, True]] * 4)
    names = ("0.weight", "2.weight")
    task = ScoreTask(names, inputs=inputs, targets=targets, masks={"0.weight": mask.numpy()})
    scores = snip(model, task)
    weight = model.get_parameter("0.weight").detach().clone()
    with torch.no_grad():
        model.get_parameter("0.weight").mul_(mask)
    bare = mean_gradients(model, ScoreTask(names, inputs=inputs, targets=targets))
    torch.testing.assert_close(scores["0.weight"], (weight * bare["0.weight"]).abs())
    assert (scores["0.weight"][:, 1] > 0).all()
