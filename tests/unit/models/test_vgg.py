"""VGG16-D has the published counts, biases under batch normalisation included."""

import torch
from torch import nn

from freezepack.models.build import build_model, resolve_arguments


def test_weights_and_biases_are_those_published_with_snip() -> None:
    weights = biases = normalisation = 0
    for module in build_model("vgg16-d").modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            assert module.bias is not None
            weights += module.weight.numel()
            biases += module.bias.numel()
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            normalisation += sum(p.numel() for p in module.parameters())
    # SNIP counts weights and biases, 15,245,130 in all, and leaves normalisation out
    assert (weights, biases, weights + biases) == (15_239_872, 5_258, 15_245_130)
    assert normalisation == 10_496


def test_thirteen_convolutions_and_three_layers_are_all_there_is() -> None:
    modules = list(build_model("vgg16-d").modules())
    assert sum(isinstance(m, nn.Conv2d) for m in modules) == 13
    assert sum(isinstance(m, nn.Linear) for m in modules) == 3
    assert sum(isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)) for m in modules) == 15


def test_classes_and_channels_are_arguments() -> None:
    model = build_model("vgg16-d", {"num_classes": 7, "in_channels": 1}).eval()
    assert model(torch.zeros(1, 1, 32, 32)).shape == (1, 7)
    assert resolve_arguments("vgg16-d", {}) == {
        "num_classes": 10,
        "in_channels": 3,
        "head_norm": True,
    }


def test_normalisation_of_the_head_can_be_left_out() -> None:
    model = build_model("vgg16-d", {"head_norm": False})
    assert not any(isinstance(m, nn.BatchNorm1d) for m in model.modules())
    assert sum(p.numel() for p in model.parameters()) == 15_245_130 + 2 * 4_224


def test_names_are_grouped_by_stage() -> None:
    names = list(build_model("vgg16-d").state_dict())
    assert names[:2] == ["stages.0.conv1.weight", "stages.0.conv1.bias"]
    assert "stages.4.conv3.weight" in names
    assert names[-2:] == ["fc3.weight", "fc3.bias"]
