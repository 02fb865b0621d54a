"""A network and its file: orders of units that cost less, and answers that stay."""

import torch
from torch import nn

from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.rate.live import narrow
from freezepack.rate.optimizer import RateOptimizer
from freezepack.rate.rated import Rated


def make(model: nn.Module) -> Rated:
    return Rated(model, RateOptimizer(model.named_parameters(), rate_weight=0.0, steps=1))


def images() -> torch.Tensor:
    return torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def test_an_order_of_units_costs_less_and_changes_no_answer() -> None:
    model = build_model("lenet5-caffe")
    fill_module(model, 3, "kaiming_normal")
    narrow(model, {"conv1": 6, "conv2": 8, "fc1": 12}, images())
    rated = make(model)
    levels = rated.optimizer.levels.clone()
    for part in rated.optimizer.parts:
        if part.view is not None:  # every other row holds nothing
            levels[part.where].view(part.shape)[::2] = 0.0
    rated.optimizer.set_levels(levels)
    before, size, count = model(images()), rated.size(), rated.trained
    assert rated.arrange(images(), tries=20)
    torch.testing.assert_close(model(images()), before)
    assert rated.trained == count
    assert rated.size() < size
    first = model.get_parameter("conv1.weight").detach().flatten(1)
    assert (first != 0).any(1).tolist() == [True, True, True, False, False, False]


def test_a_network_that_is_no_chain_stays_as_it_is() -> None:
    class Crossed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(6, 6)
            self.b = nn.Linear(6, 6)
            self.c = nn.Linear(6, 3)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.c(torch.relu(self.b(inputs)) + torch.relu(self.a(inputs)))
            return found

    torch.manual_seed(1)
    model, inputs = Crossed(), torch.rand(5, 6)
    rated = make(model)
    before, levels = model(inputs), rated.optimizer.levels.clone()
    assert not rated.arrange(inputs, tries=5)
    assert torch.equal(rated.optimizer.levels, levels)
    assert torch.equal(model(inputs), before)


def test_counts_are_those_of_the_whole_network() -> None:
    model = build_model("lenet-300-100")
    full = narrow(model, {"fc1": 4, "fc2": 3}, images())
    rated = make(model)
    rated.full = full
    assert rated.weights == 266_200
    assert rated.trained == sum(int((p != 0).sum()) for p in model.parameters() if p.dim() > 1)
    assert rated.whole_state()["fc1.weight"].shape == (300, 784)
