"""What every score promises, whoever wrote it: one battery over the table."""

import pytest
import torch
from torch import Tensor, nn

from freezepack.nn.fill import eligible_weights, fill_module
from freezepack.nn.state import named_state
from freezepack.scores import SCORES
from freezepack.scores.task import Scores, ScoreTask
from freezepack.selection.topk import Masks, select


def make_model() -> nn.Module:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 12), nn.Tanh(), nn.Linear(12, 3)
    )
    fill_module(model, seed=11)
    return model


def make_task(model: nn.Module, chunk: int | None = None) -> ScoreTask:
    generator = torch.Generator().manual_seed(0)
    return ScoreTask(
        eligible_weights(model),
        named_state(model).streams,
        seed=11,
        inputs=torch.randn(40, 1, 8, 8, generator=generator),
        targets=torch.arange(40) % 3,
        chunk=chunk,
    )


def score(name: str, model: nn.Module, chunk: int | None = None) -> Scores:
    found: Scores = SCORES.get_part(name)(model, make_task(model, chunk))
    return found


def mask_of(scores: Scores) -> Masks:
    return select({name: part.numpy() for name, part in scores.items()}, "0.9")


def photograph(model: nn.Module) -> list[tuple[str, Tensor, object]]:
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return [(name, t.detach().clone(), (t.requires_grad, t._version)) for name, t in tensors]


@pytest.mark.parametrize("name", list(SCORES))
class TestEveryScore:
    def test_gives_one_finite_float64_number_per_weight(self, name: str) -> None:
        model = make_model()
        scores = score(name, model)
        assert list(scores) == ["0.weight", "3.weight", "5.weight"]
        for key, part in scores.items():
            assert part.shape == model.get_parameter(key).shape
            assert (part.dtype, part.device.type) == (torch.float64, "cpu")
            assert not part.requires_grad
            assert torch.isfinite(part).all()

    @pytest.mark.parametrize("training", [True, False])
    def test_leaves_the_network_as_it_was(self, name: str, training: bool) -> None:
        model = make_model().train(training)
        model[2].train(not training)  # type: ignore[index]
        model.get_parameter("0.weight").grad = torch.ones(4, 1, 3, 3)
        modes = [module.training for module in model.modules()]
        before = photograph(model)
        score(name, model)
        after = photograph(model)
        assert [(n, s) for n, _, s in after] == [(n, s) for n, _, s in before]
        assert all(torch.equal(a[1], b[1]) for a, b in zip(after, before, strict=True))
        assert [module.training for module in model.modules()] == modes
        grads = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        assert list(grads) == ["0.weight"]
        assert torch.equal(grads["0.weight"], torch.ones(4, 1, 3, 3))

    def test_repeats_whatever_the_global_generator_does(self, name: str) -> None:
        first = score(name, make_model())
        torch.rand(3)
        again = score(name, make_model())
        assert all(torch.equal(first[key], again[key]) for key in first)

    def test_gives_the_same_mask_for_one_chunk_and_for_many(self, name: str) -> None:
        whole, parts = (mask_of(score(name, make_model(), chunk)) for chunk in (40, 3))
        assert all((whole[key] == parts[key]).all() for key in whole)

    def test_tells_weights_apart(self, name: str) -> None:
        scores = score(name, make_model())
        assert (
            len({number for part in scores.values() for number in part.reshape(-1).tolist()}) > 1000
        )
