"""Seeded initialization: what is drawn, what is not, and from which stream."""

import numpy as np
import pytest
import torch
from torch import nn

from freezepack.errors import SelectionError, UnknownNameError
from freezepack.models.build import build_model
from freezepack.nn.fill import (
    base_tensors,
    eligible_weights,
    fill_module,
    fill_weights,
    write_base,
)
from freezepack.random import fill
from freezepack.types import Draw


def test_a_weight_is_its_own_stream_of_the_seed() -> None:
    model = build_model("lenet5-caffe")
    inits = fill_module(model, seed=1)
    assert {name: init.stream for name, init in inits.items()} == {
        "conv1.weight": 1,
        "conv2.weight": 3,
        "fc1.weight": 5,
        "fc2.weight": 7,
    }
    expected = np.empty(400_000, np.float32)
    scale = np.float32(np.sqrt(2 / (800 + 500)))
    fill(expected, seed=1, stream=5, draw="normal", scale=float(scale))
    weight = model.get_parameter("fc1.weight").detach().numpy()
    assert weight.reshape(-1).tobytes() == expected.tobytes()


def test_biases_are_zero_and_normalisation_is_at_its_default() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.PReLU(), nn.LayerNorm((2, 4)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(7.0)
    assert list(fill_module(model, seed=3)) == ["0.weight"]
    assert model.get_parameter("0.bias").tolist() == [0.0] * 4
    assert model.get_parameter("1.weight").tolist() == [1.0] * 4
    assert model.get_parameter("1.bias").tolist() == [0.0] * 4
    assert model.get_parameter("2.weight").tolist() == [7.0]
    assert torch.equal(model.get_parameter("3.weight"), torch.ones(2, 4))


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    first, again, other = (nn.Linear(5, 5) for _ in range(3))
    fill_module(first, seed=2**64 - 1)
    fill_module(again, seed=2**64 - 1)
    fill_module(other, seed=0)
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)


def test_scheme_and_element_type_are_respected() -> None:
    layer = nn.Linear(8, 2, dtype=torch.bfloat16)
    init = fill_module(layer, seed=1, scheme="signed_constant")["weight"]
    assert init.draw == Draw.sign
    assert set(layer.weight.abs().reshape(-1).tolist()) == {0.5}
    with pytest.raises(UnknownNameError, match="no scheme named 'xavier'"):
        fill_module(layer, seed=1, scheme="xavier")


def test_any_memory_layout_is_filled_by_position() -> None:
    plain, other = nn.Conv2d(3, 4, 2), nn.Conv2d(3, 4, 2).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fill_module(plain, seed=1)
    fill_module(other, seed=1)
    assert torch.equal(plain.weight, other.weight)
    assert not other.weight.is_contiguous()


def test_a_base_is_regenerated_from_its_record() -> None:
    layer = nn.Linear(6, 5)
    inits = fill_weights(layer, ["weight"], seed=9)
    bases = base_tensors(dict(layer.named_parameters()), 9, inits)
    assert torch.equal(bases["weight"], layer.weight)
    assert bases["bias"].tolist() == [0.0] * 5
    copy = torch.empty(6, 5).T
    write_base(copy, 9, inits["weight"])
    assert torch.equal(copy, layer.weight)
    with pytest.raises(ValueError, match="the base of 'weight' needs a seed"):
        base_tensors({"weight": copy}, None, inits)


def test_eligible_are_floating_parameters_of_rank_two_or_more() -> None:
    model = nn.ModuleDict(
        {
            "attention": nn.MultiheadAttention(4, 2),
            "bilinear": nn.Bilinear(2, 2, 2),
            "norm": nn.LayerNorm((2, 2)),
            "conv": nn.ConvTranspose2d(2, 2, 3),
        }
    )
    model.register_parameter("counts", nn.Parameter(torch.ones(2, 2).int(), requires_grad=False))
    model.register_buffer("table", torch.ones(2, 2))
    assert eligible_weights(model) == (
        "attention.in_proj_weight",
        "attention.out_proj.weight",
        "bilinear.weight",
        "conv.weight",
    )


def test_patterns_choose_among_the_eligible() -> None:
    model = build_model("lenet5-caffe")
    assert eligible_weights(model, ["fc*"]) == ("fc1.weight", "fc2.weight")
    assert eligible_weights(model, None, ["conv?.weight", "fc2*"]) == ("fc1.weight",)
    assert eligible_weights(model, ["fc*"], ["fc2.weight"]) == ("fc1.weight",)


def test_a_pattern_without_a_match_and_an_empty_choice_are_errors() -> None:
    model = build_model("lenet-300-100")
    with pytest.raises(SelectionError, match=r"no eligible weight matches 'conv\*'. Eligible: fc1"):
        eligible_weights(model, ["conv*"])
    with pytest.raises(SelectionError, match="no weight is eligible"):
        eligible_weights(model, None, ["*"])
    with pytest.raises(SelectionError, match="no weight is eligible"):
        eligible_weights(nn.BatchNorm1d(2))
