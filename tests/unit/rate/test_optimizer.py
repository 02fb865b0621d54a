"""Latent values, integers on a grid and the price of a file in the gradient."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis.strategies import integers
from torch import Tensor, nn

from freezepack.errors import SelectionError
from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.rate.optimizer import RateOptimizer
from freezepack.rate.options import GridOptions


def make_model(seed: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 4))


def make_batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 12, generator=generator)
    return inputs, inputs[:, :4].argmax(1)


def take_steps(model: nn.Module, optimizer: RateOptimizer, count: int) -> float:
    inputs, labels = make_batch()
    loss = torch.zeros(())
    for _ in range(count):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float(loss.detach())


def put(model: nn.Module, **changes: Any) -> RateOptimizer:
    arguments: dict[str, Any] = {"rate_weight": 1e-4, "steps": 200, **changes}
    return RateOptimizer(model.named_parameters(), **arguments)


@settings(max_examples=10, deadline=None)
@given(integers(0, 20), integers(1, 3))
def test_parameters_are_integers_times_a_step_of_16_bits(count: int, most: int) -> None:
    model = make_model()
    optimizer = put(model, options=GridOptions(most=most))
    take_steps(model, optimizer, count)
    levels, steps = optimizer.levels_of(), optimizer.steps_of()
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter.detach(), levels[name] * steps[name] + 0.0)
        assert int(torch.tensor(steps[name]).view(torch.int32)) & 0xFFFF == 0
        if parameter.dim() > 1:
            assert int(levels[name].abs().max()) <= most


def test_no_value_is_minus_zero() -> None:
    model = make_model()
    optimizer = put(model, rate_weight=1e-2)
    take_steps(model, optimizer, 60)
    for parameter in model.parameters():
        zeros = parameter.detach()[parameter.detach() == 0]
        assert len(zeros)
        assert not torch.signbit(zeros).any()


def test_a_network_learns_on_its_grid() -> None:
    model = make_model()
    optimizer = put(model, rate_weight=0.0)
    before = take_steps(model, optimizer, 1)
    assert take_steps(model, optimizer, 150) < before / 3


def test_a_higher_price_leaves_fewer_weights() -> None:
    counts = []
    for weight in (0.0, 3e-3, 3e-1):
        model = make_model()
        optimizer = put(model, rate_weight=weight)
        take_steps(model, optimizer, 200)
        counts.append(int((optimizer.levels != 0).sum()))
    assert counts[0] > 2 * counts[1] > 4 * counts[2]


def test_the_first_gradient_of_a_step_is_the_loss_times_the_step_of_the_grid() -> None:
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    # one weight of magnitude 1: its step is 2 * 1, so it lies half way and rounds to 0 (even)
    optimizer = RateOptimizer(
        layer.named_parameters(), rate_weight=0.0, steps=10, options=GridOptions(coarseness=2.0)
    )
    assert layer.weight.item() == 0.0
    (-layer(torch.ones(1, 1))).sum().backward()
    optimizer.step()
    # Adam's first step is the learning rate, up to rounding, against the gradient's sign
    assert optimizer.state_dict()["latent"].item() == pytest.approx(0.56, abs=1e-5)
    assert layer.weight.item() == 2.0


def test_a_state_goes_on_bit_for_bit() -> None:
    model = make_model()
    optimizer = put(model, steps=60)
    take_steps(model, optimizer, 50)
    other = make_model(seed=2)
    again = put(other, steps=60)
    again.load_state_dict(optimizer.state_dict())
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True)
    )
    take_steps(model, optimizer, 10)
    take_steps(other, again, 10)
    assert torch.equal(optimizer.levels, again.levels)
    assert optimizer.steps_of() == again.steps_of()
    assert torch.equal(optimizer.state_dict()["latent"], again.state_dict()["latent"])


def test_a_saved_state_does_not_follow_later_steps() -> None:
    model = make_model()
    optimizer = put(model)
    take_steps(model, optimizer, 5)
    fresh = put(make_model(seed=2))
    fresh.load_state_dict(optimizer.state_dict())
    before = fresh.levels.clone(), fresh.state_dict()["moments"].clone()
    take_steps(model, optimizer, 5)
    assert torch.equal(fresh.levels, before[0])
    assert torch.equal(fresh.state_dict()["moments"], before[1])


def test_fixed_parameters_stay_zero() -> None:
    model = make_model()
    optimizer = put(model, fixed=["2.bias"])
    take_steps(model, optimizer, 40)
    assert model.get_parameter("2.bias").tolist() == [0.0] * 4
    assert model.get_parameter("0.bias").abs().sum() > 0


def test_set_levels_are_held() -> None:
    model = make_model()
    optimizer = put(model)
    take_steps(model, optimizer, 10)
    wanted = optimizer.levels.clone()
    wanted[:5] = torch.where(wanted[:5] == 0, 1.0, 0.0)
    optimizer.set_levels(wanted)
    take_steps(model, optimizer, 30)
    assert torch.equal(optimizer.levels[:5], wanted[:5])
    assert not torch.equal(optimizer.levels[5:], wanted[5:])


def test_a_tied_weight_is_one_part() -> None:
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = model[0].weight
    optimizer = put(model)
    assert [part.name for part in optimizer.parts] == ["0.weight"]


def test_values_of_another_type_and_networks_of_nothing_are_refused() -> None:
    with pytest.raises(SelectionError, match="weight is float64, expected float32"):
        put(nn.Linear(2, 2).double())
    with pytest.raises(SelectionError, match="no Parameter is trained"):
        put(nn.ReLU())


def test_large_networks_see_flattened_maps_as_channels() -> None:
    model = build_model("lenet5-caffe")
    fill_module(model, 1, "kaiming_normal")
    views = {part.name: part.view for part in put(model).parts}
    assert views["fc1.weight"] == (500, 50, 4, 4)
    assert views["conv1.bias"] is None
