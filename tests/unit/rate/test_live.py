"""Networks of fewer rows, and back."""

import pytest
import torch
from torch import nn

from freezepack.errors import SelectionError
from freezepack.models.build import build_model
from freezepack.rate.live import narrow, unnarrow, widen

ROWS = {"conv1": 8, "conv2": 16, "fc1": 24}


def shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(p.shape) for name, p in model.state_dict().items()}


def test_columns_follow_rows_through_pooling_and_flattening() -> None:
    model = build_model("lenet5-caffe")
    before = shapes(model)
    full = narrow(model, ROWS, torch.zeros(1, 1, 28, 28))
    assert shapes(model) == {
        "conv1.weight": (8, 1, 5, 5),
        "conv1.bias": (8,),
        "conv2.weight": (16, 8, 5, 5),
        "conv2.bias": (16,),
        "fc1.weight": (24, 256),
        "fc1.bias": (24,),
        "fc2.weight": (10, 24),
        "fc2.bias": (10,),
    }
    assert full == {name: shape for name, shape in before.items() if name != "fc2.bias"}


def test_the_wide_network_computes_what_the_narrow_one_does() -> None:
    model = build_model("lenet5-caffe")
    images = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    full = narrow(model, ROWS, images)
    expected = model(images)
    wide = build_model("lenet5-caffe")
    wide.load_state_dict(widen(model.state_dict(), full))
    torch.testing.assert_close(wide(images), expected)
    unnarrow(model, full)
    assert shapes(model) == shapes(wide)
    torch.testing.assert_close(model(images), expected)


def test_normalisation_is_cut_with_its_layer() -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.Conv2d(6, 2, 3))
    full = narrow(model, {"0": 4}, torch.zeros(1, 1, 8, 8))
    assert model.get_buffer("1.running_var").shape == (4,)
    assert full["1.running_mean"] == (6,)
    assert tuple(model.eval()(torch.zeros(2, 1, 8, 8)).shape) == (2, 2, 4, 4)
    unnarrow(model, full)
    assert model.get_buffer("1.running_var").tolist() == [1, 1, 1, 1, 0, 0]


def test_impossible_rows_are_refused() -> None:
    model, image = build_model("lenet-300-100"), torch.zeros(1, 1, 28, 28)
    with pytest.raises(SelectionError, match=r"'fc9' is no layer with rows\. Known: fc1, fc2, fc3"):
        narrow(model, {"fc9": 3}, image)
    with pytest.raises(SelectionError, match="301 rows of fc1 are to stay, expected 1 to 300"):
        narrow(model, {"fc1": 301}, image)


def test_a_network_that_needs_its_rows_is_refused() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.layer(inputs)
            return inputs + found

    with pytest.raises(SelectionError, match="cannot run with fewer rows"):
        narrow(Residual(), {"layer": 3}, torch.zeros(1, 4))
