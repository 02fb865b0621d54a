"""ResNet-18 for CIFAR has the known count, with the 3x3 stem and projected shortcuts."""

import torch
from torch import nn

from freezepack.models.build import build_model


def test_weights_number_11164352() -> None:
    model = build_model("resnet-18")
    layers = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(layers) == 21  # stem, 16 in blocks, 3 shortcuts, the classifier
    assert sum(layer.weight.numel() for layer in layers) == 11_164_352
    assert sum(p.numel() for p in model.parameters() if p.dim() < 2) == 9_610


def test_the_stem_keeps_the_resolution_and_the_last_stage_has_4_by_4() -> None:
    model = build_model("resnet-18").eval()
    sizes: list[torch.Size] = []
    for stage in model.get_submodule("stages").children():
        stage.register_forward_hook(lambda _m, _i, output: sizes.append(output.shape[1:]))
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert [tuple(s) for s in sizes] == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]


def test_classes_and_channels_are_arguments() -> None:
    model = build_model("resnet-18", {"num_classes": 100, "in_channels": 1}).eval()
    assert model(torch.zeros(1, 1, 32, 32)).shape == (1, 100)


def test_a_block_without_change_of_shape_adds_its_input_as_it_is() -> None:
    block = build_model("resnet-18").get_submodule("stages.0.0").eval()
    for name in ("conv1", "conv2"):
        nn.init.zeros_(block.get_parameter(f"{name}.weight"))
    images = torch.rand(1, 64, 4, 4)
    assert torch.equal(block(images), images)
