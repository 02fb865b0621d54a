"""GraSP's Hessian-gradient product, against finite differences and the definition."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freezepack.scores.gradient import mean_gradients
from freezepack.scores.gradient_norm import gradient_norm
from freezepack.scores.grasp import TEMPERATURE, grasp
from freezepack.scores.task import ScoreTask
from freezepack.selection.topk import select

NAMES = ("0.weight", "2.weight")


def make_model() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()


def make_task(chunk: int | None = None, count: int = 12) -> ScoreTask:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(count, 4, generator=generator).double()
    return ScoreTask(NAMES, inputs=inputs, targets=torch.arange(count) % 3, chunk=chunk)


def gradient_at(model: nn.Module, weights: dict[str, Tensor], task: ScoreTask) -> dict[str, Tensor]:
    for name, weight in weights.items():
        model.get_parameter(name).data.copy_(weight)
    return mean_gradients(model, task, TEMPERATURE)


def test_the_score_is_the_weight_times_a_finite_difference_of_the_gradient_along_itself() -> None:
    model, task = make_model(), make_task()
    weights = {name: model.get_parameter(name).detach().clone() for name in NAMES}
    scores = grasp(model, task)
    gradient = mean_gradients(model, task, TEMPERATURE)
    step = 1e-4 / max(float(g.abs().max()) for g in gradient.values())
    ahead, behind = (
        gradient_at(model, {n: weights[n] + sign * step * gradient[n] for n in NAMES}, task)
        for sign in (1, -1)
    )
    for name in NAMES:
        product = (ahead[name] - behind[name]) / (2 * step)
        expected = weights[name] * product
        torch.testing.assert_close(scores[name], expected, rtol=1e-5, atol=1e-14)
        assert float(scores[name].abs().max()) > 1e-9


def test_a_positive_score_means_that_removal_lowers_the_gradient_norm() -> None:
    model, task = make_model(), make_task()
    scores = grasp(model, task)["0.weight"]
    weight = model.get_parameter("0.weight")

    def norm_with(position: tuple[int, ...], factor: float) -> float:
        kept = float(weight.data[position])
        weight.data[position] *= factor
        gradients = mean_gradients(model, task, TEMPERATURE)
        weight.data[position] = kept
        return sum(float((g**2).sum()) for g in gradients.values())

    for position in np.ndindex(*weight.shape):
        slope = (norm_with(position, 1 + 1e-3) - norm_with(position, 1 - 1e-3)) / 2e-3
        # the norm is squared, so its slope along the weight is twice the score
        assert slope / 2 == pytest.approx(float(scores[position]), rel=1e-3, abs=1e-13)


@pytest.mark.parametrize("chunk", [1, 5])
def test_chunks_change_no_mask(chunk: int) -> None:
    whole, parts = (grasp(make_model(), make_task(size)) for size in (12, chunk))
    masks = [select({n: s.numpy() for n, s in found.items()}, "0.5") for found in (whole, parts)]
    assert all((masks[0][name] == masks[1][name]).all() for name in NAMES)
    for name in NAMES:
        torch.testing.assert_close(whole[name], parts[name], rtol=1e-10, atol=1e-20)


def test_a_weight_without_influence_scores_zero() -> None:
    class Idle(nn.Linear):
        def __init__(self) -> None:
            super().__init__(4, 3)
            self.idle = nn.Parameter(torch.ones(2, 2))

    task = make_task()
    task = ScoreTask(("idle", "weight"), inputs=task.inputs, targets=task.targets)
    assert grasp(Idle(), task)["idle"].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_batch_normalisation_in_training_mode_is_scored_as_a_whole() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)).double()
    scores = grasp(model, make_task())
    assert all(torch.isfinite(part).all() and part.abs().sum() > 0 for part in scores.values())
    assert model.get_buffer("1.num_batches_tracked").item() == 0


def test_the_gradient_norm_is_the_square_of_the_gradient_whatever_the_weight() -> None:
    layer = nn.Linear(4, 3)
    inputs, targets = torch.randn(6, 4), torch.arange(6) % 3
    F.cross_entropy(layer(inputs), targets).backward()  # type: ignore[no-untyped-call]
    assert layer.weight.grad is not None
    found = gradient_norm(layer, ScoreTask(("weight",), inputs=inputs, targets=targets))["weight"]
    torch.testing.assert_close(found, layer.weight.grad.double() ** 2, rtol=1e-4, atol=1e-10)
