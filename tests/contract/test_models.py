"""What every network promises: one battery over the table."""

import pytest
import torch
from torch import nn

from freezepack.models import MODELS
from freezepack.models.build import build_model, resolve_arguments
from freezepack.nn.fill import eligible_weights

WEIGHTS = {
    "lenet-300-100": 266_200,
    "lenet5-caffe": 430_500,
    "conv2": 4_300_992,
    "conv4": 2_425_024,
    "conv6": 2_261_184,
    "vgg16-d": 15_239_872,
    "vgg-like": 14_977_728,
    "vgg11-bn": 9_222_848,
    "vgg16-bn": 14_715_584,
    "resnet-18": 11_164_352,
    "resnet-20": 270_896,
    "resnet-32": 464_432,
    "wrn-16-8": 10_954_160,
}
"""Published, or counted by hand from the published shapes."""


def test_every_network_of_the_table_is_counted() -> None:
    assert list(WEIGHTS) == list(MODELS)


@pytest.mark.parametrize("name", list(MODELS))
class TestEveryModel:
    def test_has_the_published_number_of_weights_all_of_them_eligible(self, name: str) -> None:
        with torch.device("meta"):
            model = build_model(name)
        names = eligible_weights(model)
        assert sum(model.get_parameter(key).numel() for key in names) == WEIGHTS[name]
        assert sum(p.numel() for p in model.parameters() if p.dim() >= 2) == WEIGHTS[name]

    def test_says_the_shape_of_its_input_and_its_number_of_classes(self, name: str) -> None:
        with torch.device("meta"):
            model = build_model(name).eval()
            shape: tuple[int, ...] = model.input_shape  # type: ignore[assignment]
            assert model(torch.zeros(2, *shape)).shape == (2, model.classes)

    def test_takes_the_classes_of_other_data(self, name: str) -> None:
        if "num_classes" not in resolve_arguments(name, {}):
            pytest.skip("made for one kind of data")
        with torch.device("meta"):
            model = build_model(name, {"num_classes": 100, "in_channels": 1}).eval()
            assert model(torch.zeros(2, 1, 32, 32)).shape == (2, 100)
        assert model.classes == 100

    def test_uses_each_module_in_the_forward_pass(self, name: str) -> None:
        with torch.device("meta"):
            model = build_model(name).eval()
            used: set[str] = set()
            for key, module in model.named_modules():
                if not list(module.children()) and list(module.parameters()):
                    module.register_forward_hook(lambda *_, key=key: used.add(key))
            model(torch.zeros(1, *model.input_shape))  # type: ignore[misc]
        leaves = {k for k, m in model.named_modules() if list(m.parameters(recurse=False))}
        assert used == leaves


@pytest.mark.parametrize("name", ["conv2", "conv4", "conv6"])
def test_the_networks_of_supermasks_have_no_biases_and_no_normalisation(name: str) -> None:
    with torch.device("meta"):
        model = build_model(name)
    assert all(p.dim() >= 2 for p in model.parameters())
    assert not list(model.buffers())


def test_resnet_32_of_width_32_is_the_one_of_the_grasp_paper() -> None:
    with torch.device("meta"):
        model = build_model("resnet-32", {"width": 32})
    assert sum(p.numel() for p in model.parameters() if p.dim() >= 2) == 1_855_584


def test_vgg_like_keeps_the_published_449_thousand_at_3_percent() -> None:
    with torch.device("meta"):
        model = build_model("vgg-like")
    layers = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    counted = sum(p.numel() for layer in layers for p in layer.parameters())
    assert (len(layers), counted, round(counted * 0.03)) == (15, 14_982_474, 449_474)


@pytest.mark.parametrize("name", ["resnet-20", "wrn-16-8"])
def test_stages_halve_the_resolution(name: str) -> None:
    sizes: list[int] = []
    with torch.device("meta"):
        model = build_model(name).eval()
        for stage in model.get_submodule("stages").children():
            stage.register_forward_hook(lambda _m, _i, out: sizes.append(out.shape[-1]))
        model(torch.zeros(1, 3, 32, 32))
    assert sizes == [32, 16, 8]
