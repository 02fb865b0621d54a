import numpy as np
import pytest
import torch
from torch import nn

from freezepack.models.build import build_model
from freezepack.train import load_data
from freezepack.train.curvature import covered, gauss_newton


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(2)
        self.fc = nn.Linear(2 * 14 * 14, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.fc(torch.tanh(self.norm(self.conv(images))).flatten(1))
        return outputs


def test_the_matrix_is_that_of_the_jacobian() -> None:
    torch.manual_seed(0)
    model, data = Small(), load_data("digits", splits=("train",))
    side = data.split("train").images.shape[-1]
    model.fc = nn.Linear(2 * ((side + 1) // 2) ** 2, 10)
    positions = {
        "fc.weight": np.array([3, 40, 77]),
        "conv.bias": np.array([1]),
        "conv.weight": np.array([0, 4, 11]),
        "fc.bias": np.array([2, 9]),
    }
    found = gauss_newton(model, data, positions, examples=3, temperature=2.0)
    assert model.training
    model.eval()
    expected = np.zeros((9, 9))
    parameters = dict(model.named_parameters())
    inputs, _ = data.batch(data.split("train"), slice(0, 3))
    for one in inputs:
        logits = model(one[None])[0]
        rows = []
        for logit in logits:
            slopes = torch.autograd.grad(logit, list(parameters.values()), retain_graph=True)
            by_name = dict(zip(parameters, slopes, strict=True))
            rows.append([float(by_name[n].flatten()[p]) for n in positions for p in positions[n]])
        jacobian = np.array(rows)
        p = (logits / 2).softmax(0).detach().double().numpy()
        expected += jacobian.T @ (np.diag(p) - np.outer(p, p)) @ jacobian / 3
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert np.abs(expected).max() > 1e-2


def test_normalisation_and_grouped_convolutions_are_not_covered() -> None:
    assert covered(Small()) == {"conv.weight", "conv.bias", "fc.weight", "fc.bias"}
    assert covered(nn.Sequential(nn.Conv2d(4, 4, 1, groups=2), nn.Linear(2, 2, bias=False))) == {
        "1.weight"
    }
    lenet = build_model("lenet5-caffe")
    assert covered(lenet) == set(dict(lenet.named_parameters()))
