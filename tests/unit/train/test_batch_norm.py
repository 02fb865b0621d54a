"""Batch normalisation: which statistics scoring, training, averages and evaluation use."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from freezepack.scores import SCORES
from freezepack.scores.task import ScoreTask
from freezepack.train.average import Average
from freezepack.train.config import RunConfig
from freezepack.train.data.dataset import Dataset, Split
from freezepack.train.evaluation import evaluate
from freezepack.train.loop import fit
from freezepack.train.optimizer import build_optimizer

COUNT = 24


class Normalised(nn.Module):
    """A layer, its normalisation with statistics of the last batch alone, and ten classes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 6)
        self.norm: Any = nn.BatchNorm1d(6, momentum=1.0)
        self.head = nn.Linear(6, 10)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.head(self.norm(self.layer(images.flatten(1))))
        return found


def make_data() -> Dataset:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (COUNT, 1, 2, 2), generator=generator, dtype=torch.uint8)
    split = Split(images, torch.arange(COUNT) % 10)
    splits = dict.fromkeys(("train", "validation", "test"), split)
    return Dataset("digits", splits, torch.full((1, 1, 1), 100.0), torch.full((1, 1, 1), 80.0), 10)


def train(**changes: Any) -> Normalised:
    """Train for an epoch and leave all weights as they were: statistics alone change."""
    torch.manual_seed(0)
    model, data = Normalised(), make_data()
    config = RunConfig(data="digits", epochs=1, lr=1e-30, **changes)
    average = Average(model, config.ema) if config.ema is not None else None
    fit(model, build_optimizer(config, model), data, config, average=average)
    return model


def statistics(model: Normalised, images: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = model.layer(images.flatten(1)).mean(0)
    return found


@pytest.mark.parametrize(("batch", "parts", "updates"), [(24, 1, 1), (24, 3, 3), (10, 1, 3)])
def test_each_part_of_a_batch_updates_the_running_statistics(
    batch: int, parts: int, updates: int
) -> None:
    model = train(batch_size=batch, accumulate=parts)
    assert int(model.norm.num_batches_tracked) == updates
    images, _ = make_data().batch(make_data().split("train"), torch.arange(COUNT))
    whole = torch.allclose(model.norm.running_mean, statistics(model, images), atol=1e-5)
    assert whole is (updates == 1)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_scoring_normalises_by_its_mode_and_leaves_the_statistics_alone(mode: str) -> None:
    torch.manual_seed(0)
    model, data = Normalised(), make_data()
    inputs, targets = data.batch(data.split("train"), torch.arange(COUNT))

    def score() -> Tensor:
        names = ("layer.weight", "head.weight")
        task = ScoreTask(names, {}, inputs=inputs, targets=targets, mode=mode)
        return SCORES.get_part("snip")(model, task)["head.weight"]  # type: ignore[no-any-return]

    before = score()
    assert model.norm.running_mean.tolist() == [0.0] * 6
    model.norm.running_var.fill_(9.0)
    assert torch.equal(score(), before) is (mode == "train")


def test_evaluation_uses_the_running_statistics_and_changes_nothing() -> None:
    model, data = train(batch_size=24), make_data()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    whole = evaluate(model, data, "validation")
    assert evaluate(model, data, "validation", batch_size=1) == whole
    assert model.training
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name])
    model.norm.running_mean.add_(100.0)
    model.norm.weight.data[0] = 5.0
    assert evaluate(model, data, "validation") != whole


def test_an_average_keeps_the_running_statistics_of_training() -> None:
    averaged, plain = train(batch_size=24, ema=0.9), train(batch_size=24)
    assert torch.equal(averaged.norm.running_mean, plain.norm.running_mean)
    assert torch.equal(averaged.norm.running_var, plain.norm.running_var)
