"""The LeNets have the published shapes."""

import pytest
import torch

from freezepack.errors import UnknownNameError
from freezepack.models.build import build_model, resolve_arguments


def count(name: str) -> tuple[int, int]:
    parameters = list(build_model(name).parameters())
    weights = sum(p.numel() for p in parameters if p.dim() >= 2)
    return weights, sum(p.numel() for p in parameters if p.dim() < 2)


def test_lenet_300_100_has_266200_weights_and_410_biases() -> None:
    assert count("lenet-300-100") == (266_200, 410)


def test_lenet5_caffe_has_430500_weights_and_580_biases() -> None:
    assert count("lenet5-caffe") == (430_500, 580)


def test_tensor_names_are_those_of_the_file() -> None:
    assert list(build_model("lenet5-caffe").state_dict()) == [
        "conv1.weight",
        "conv1.bias",
        "conv2.weight",
        "conv2.bias",
        "fc1.weight",
        "fc1.bias",
        "fc2.weight",
        "fc2.bias",
    ]


def test_relu_after_the_convolutions_can_be_left_out() -> None:
    images = torch.linspace(-1, 1, 784).reshape(1, 1, 28, 28)
    with_relu, without = build_model("lenet5-caffe"), build_model("lenet5-caffe", {"relu": "fc"})
    without.load_state_dict(with_relu.state_dict())
    assert not torch.equal(with_relu(images), without(images))
    with torch.no_grad():
        for name in ("conv1", "conv2"):
            layer = with_relu.get_submodule(name)
            for parameter in layer.parameters():
                parameter.abs_()
    without.load_state_dict(with_relu.state_dict())
    # nothing is negative now, so the ReLU after the convolutions has nothing to do
    assert torch.equal(with_relu(images.abs()), without(images.abs()))


def test_arguments_are_completed_with_the_defaults() -> None:
    assert resolve_arguments("lenet5-caffe", {"relu": "fc"}) == {"relu": "fc"}
    assert resolve_arguments("lenet-300-100", {}) == {}


def test_unknown_arguments_and_models_are_named() -> None:
    with pytest.raises(UnknownNameError, match="no argument of model 'lenet5-caffe' named 'rleu'"):
        build_model("lenet5-caffe", {"rleu": "fc"})
    with pytest.raises(UnknownNameError, match=r"no model named 'lenet5'\. Did you mean"):
        build_model("lenet5")
    with pytest.raises(ValueError, match="relu is 'both', expected 'conv' or 'fc'"):
        build_model("lenet5-caffe", {"relu": "both"})
