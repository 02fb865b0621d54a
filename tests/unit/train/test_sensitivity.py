import math

import pytest
import torch
from torch import nn

from freezepack.train.sensitivity import divergence, predict, squared_gradients
from tests.unit.train.helpers import small_data


def test_predictions_are_those_of_evaluation_in_order() -> None:
    data = small_data()
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(784, 10))
    outputs = predict(model, data, "validation")
    assert outputs.shape == (40, 10)
    assert model.training
    inputs, _ = data.batch(data.split("validation"), slice(0, 40))
    assert torch.equal(outputs, model.eval()(inputs))
    assert torch.equal(predict(model, data, "validation", 7), outputs[:7])


def test_divergence_is_the_mean_over_examples() -> None:
    before = torch.zeros(2, 2)
    after = torch.tensor([[0.0, 0.0], [4 * math.log(3.0), 0.0]])
    # Half of ln(1/2 : 3/4) + ln(1/2 : 1/4), and nothing for the first.
    expected = 0.25 * (math.log(0.5 / 0.75) + math.log(0.5 / 0.25))
    assert divergence(before, after) == pytest.approx(expected, rel=1e-6)
    assert divergence(before, before + 5) == 0.0
    assert divergence(before, after, temperature=1.0) > 5 * expected


def test_what_nothing_depends_on_has_no_sensitivity() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    model[1].register_parameter("unused", nn.Parameter(torch.ones(3)))
    found = squared_gradients(model, small_data(), examples=16)
    assert found["1.unused"].tolist() == [0.0, 0.0, 0.0]
    assert (found["1.bias"] > 0).all()
