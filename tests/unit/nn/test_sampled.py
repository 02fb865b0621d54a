"""Gradients of frozen layers: those of dense training, and nothing computed that is not trained."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import TorchDispatchMode

from freezepack.nn.frozen import freeze_weights
from freezepack.nn.overlay import Overlay
from freezepack.nn.sampled import sample_products
from freezepack.nn.sampled_windows import pays_for_windows
from freezepack.types import BoolArray

LAYERS: dict[str, tuple[nn.Module, tuple[int, ...], float]] = {
    "linear": (nn.Linear(128, 70), (9, 128), 0.01),
    "linear, dense gradient": (nn.Linear(128, 70), (9, 128), 0.5),
    "linear, three dimensions": (nn.Linear(128, 70, bias=False), (3, 5, 128), 0.02),
    "linear, one dimension": (nn.Linear(128, 70), (128,), 0.02),
    "linear, empty batch": (nn.Linear(128, 70), (0, 128), 0.02),
    "1d": (nn.Conv1d(4, 256, 3, dilation=2), (4, 4, 20), 0.02),
    "2d": (nn.Conv2d(4, 256, 3, padding=1), (4, 4, 7, 9), 0.02),
    "2d, stride": (nn.Conv2d(4, 256, 3, stride=2, padding=1, bias=False), (4, 4, 8, 9), 0.02),
    "2d, shortcut": (nn.Conv2d(16, 256, 1, stride=2), (4, 16, 8, 9), 0.01),
    "2d, uneven": (
        nn.Conv2d(4, 256, (3, 5), stride=(2, 1), padding=(2, 0), dilation=(1, 2)),
        (2, 4, 9, 11),
        0.02,
    ),
    "3d": (nn.Conv3d(2, 256, 3, padding=1), (2, 2, 4, 5, 6), 0.02),
    "few channels": (nn.Conv2d(4, 20, 3), (4, 4, 7, 9), 0.02),
    "groups": (nn.Conv2d(4, 256, 3, groups=2), (4, 4, 7, 9), 0.02),
    "same padding": (nn.Conv2d(4, 256, 3, padding="same"), (4, 4, 7, 9), 0.02),
    "circular padding": (
        nn.Conv2d(4, 256, 3, padding=1, padding_mode="circular"),
        (2, 4, 7, 9),
        0.02,
    ),
    "no batch": (nn.Conv2d(4, 256, 3), (4, 7, 9), 0.02),
}


def random_mask(shape: tuple[int, ...], density: float) -> BoolArray:
    mask: BoolArray = np.random.default_rng(0).random(shape) < density
    mask.reshape(-1)[[0, -1]] = True
    return mask


def freeze_layer(layer: Any, density: float) -> tuple[Any, BoolArray]:
    """Return a frozen copy; a density of 0 trains nothing of the weight."""
    frozen = copy.deepcopy(layer)
    mask = random_mask(tuple(layer.weight.shape), density) & (density > 0)
    freeze_weights(frozen, {"weight": mask})
    return frozen, mask


def gradients(layer: Any, inputs: Tensor, *, mixed: bool = False) -> dict[str, Tensor]:
    """Return output and gradients of an uneven sum of outputs."""
    inputs = inputs.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        outputs = layer(inputs)
    factors = torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).reshape(outputs.shape)
    (outputs * factors).sum().backward()
    found = {"inputs": inputs.grad, "outputs": outputs.detach()}
    if layer.bias is not None:
        found["bias"] = layer.bias.grad
    whole = layer.weight if isinstance(layer.weight, nn.Parameter) else None
    values = layer.parametrizations["weight"].original if whole is None else whole
    return {**found, "weight": values.grad}


@pytest.mark.parametrize("kind", ["float32", "float64", "bfloat16", "channels last"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_frozen_layer_has_the_output_and_the_gradients_of_the_dense_one(
    name: str, kind: str
) -> None:
    layer, shape, density = copy.deepcopy(LAYERS[name])
    dtype = torch.float64 if kind == "float64" else torch.float32
    inputs = torch.randn(shape, dtype=dtype)
    layer.to(dtype)
    if kind == "channels last" and len(shape) == 4:
        layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    frozen, mask = freeze_layer(layer, density)
    mixed = kind == "bfloat16"
    dense, sparse = gradients(layer, inputs, mixed=mixed), gradients(frozen, inputs, mixed=mixed)
    assert torch.equal(dense.pop("outputs"), sparse.pop("outputs"))
    dense["weight"] = dense["weight"].reshape(-1)[torch.from_numpy(mask.reshape(-1))]
    rtol, atol = (0.02, 0.1) if mixed else (1e-4, 1e-4)
    for part, found in sparse.items():
        assert found.dtype == dense[part].dtype
        torch.testing.assert_close(found, dense[part], rtol=rtol, atol=atol)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(1, 9), st.integers(1, 9), st.data())
def test_sampled_products_are_entries_of_the_product_of_matrices(
    rows: int, height: int, width: int, data: st.DataObject
) -> None:
    positions = data.draw(st.sets(st.integers(0, height * width - 1), min_size=1))
    overlay = Overlay(torch.zeros(height, width), torch.tensor(sorted(positions)))
    grad = torch.arange(float(rows * height)).reshape(rows, height) - 3
    inputs = torch.arange(float(rows * width)).reshape(rows, width) - 5
    expected = (grad.t() @ inputs).reshape(-1)[sorted(positions)]
    assert torch.equal(sample_products(grad, inputs, overlay), expected)


def test_products_of_bfloat16_are_summed_in_float32() -> None:
    few = torch.tensor([0, 129])
    overlay = Overlay(torch.zeros(2, 128), few)
    ones = torch.ones(1001, 2, dtype=torch.bfloat16)
    rows = torch.ones(1001, 128, dtype=torch.bfloat16)
    assert sample_products(ones, rows, overlay).tolist() == [1001.0, 1001.0]  # 1000 in bfloat16
    layer = nn.Linear(128, 70, bias=False)
    frozen, _ = freeze_layer(layer, 0.001)
    with torch.autocast("cpu", torch.bfloat16):
        frozen(torch.ones(1001, 128)).sum().backward()
    assert set(next(frozen.parameters()).grad.tolist()) == {1001.0}


def test_sums_do_not_depend_on_the_number_of_threads() -> None:
    overlay = Overlay(torch.zeros(500, 800), torch.arange(0, 400_000, 7))
    grad, rows = torch.randn(100, 500), torch.randn(100, 800)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(sample_products(grad, rows, overlay))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operations that run, and which results of a convolution's backward are wanted."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []
        self.wanted: list[list[bool]] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self.names.append(func.overloadpacket.__name__)
        if func.overloadpacket.__name__ == "convolution_backward":
            self.wanted.append(args[10])
        return func(*args, **(kwargs or {}))


@contextmanager
def operations() -> Iterator[Operations]:
    with Operations() as found:
        yield found


def test_a_layer_without_trained_weights_takes_no_gradient_and_copies_nothing() -> None:
    frozen, _ = freeze_layer(nn.Linear(128, 70, bias=False), 0)
    assert list(frozen.parameters()) == []
    inputs = torch.randn(3, 128, requires_grad=True)
    with operations() as found:
        frozen(inputs).sum().backward()
    assert found.names.count("mm") == 2  # forward, and the gradient of the input
    assert "clone" not in found.names
    frozen, _ = freeze_layer(nn.Conv2d(4, 256, 3, bias=False), 0)
    images = torch.randn(2, 4, 7, 7, requires_grad=True)
    with operations() as found:
        frozen(images).sum().backward()
    assert found.wanted == [[True, False, False]]
    assert "clone" not in found.names


@pytest.mark.parametrize(("density", "products"), [(1 / 8, 1), (1 / 8 + 1e-3, 2)])
def test_a_linear_layer_is_sampled_up_to_an_eighth(density: float, products: int) -> None:
    layer = nn.Linear(100, 100, bias=False)
    mask = np.zeros(10_000, np.bool_)
    mask[: int(density * 10_000)] = True
    freeze_weights(layer, {"weight": mask.reshape(100, 100)})
    layer(torch.randn(3, 100))
    with operations() as found:
        layer(torch.randn(3, 100)).sum().backward()
    assert found.names.count("mm") == products
    assert found.names.count("sparse_sampled_addmm") == 2 - products


@pytest.mark.parametrize(
    ("channels", "count", "sampled"), [(256, 288, True), (256, 289, False), (255, 1, False)]
)
def test_a_wide_convolution_is_sampled_up_to_one_in_32(
    channels: int, count: int, sampled: bool
) -> None:
    overlay = Overlay(torch.zeros(channels, 4, 3, 3), torch.arange(count))
    assert pays_for_windows(overlay, (1, 0, 1, 1)) is sampled
    assert pays_for_windows(overlay, (1, 0, 1, 2)) is False


def test_a_layer_that_is_called_twice_adds_its_gradients_up() -> None:
    layer = nn.Linear(128, 128)
    frozen, mask = freeze_layer(layer, 0.02)
    inputs = torch.randn(5, 128)
    for module in (layer, frozen):
        module(module(inputs).tanh()).square().sum().backward()
    expected = layer.weight.grad.reshape(-1)[torch.from_numpy(mask.reshape(-1))]  # type: ignore[union-attr]
    torch.testing.assert_close(frozen.parametrizations["weight"].original.grad, expected)


@pytest.mark.parametrize("kind", ["linear", "2d"])
def test_gradients_can_be_differentiated_as_those_of_a_dense_layer(kind: str) -> None:
    layer, shape, density = LAYERS[kind]
    layer = copy.deepcopy(layer).double()
    frozen, mask = freeze_layer(layer, density)
    found = []
    module: Any
    for module in (layer, frozen):
        inputs = torch.linspace(-1, 1, int(np.prod(shape)), dtype=torch.float64)
        inputs = inputs.reshape(shape).requires_grad_()
        parts = [inputs, module.bias, _values(module)]
        loss = module(inputs).tanh().square().sum()
        first = torch.autograd.grad(loss, parts, create_graph=True)
        penalty = first[0].square().sum() + first[1].square().sum()
        second = torch.autograd.grad(penalty, parts)
        found.append(dict(zip(("inputs", "bias", "weight"), second, strict=True)))
    dense, sparse = found
    dense["weight"] = dense["weight"].reshape(-1)[torch.from_numpy(mask.reshape(-1))]
    for part in ("inputs", "bias", "weight"):
        torch.testing.assert_close(sparse[part], dense[part])


def _values(module: Any) -> Tensor:
    values: Tensor = (
        module.parametrizations["weight"].original
        if parametrize.is_parametrized(module)
        else module.weight
    )
    return values


def test_values_that_change_before_their_gradient_is_differentiated_are_an_error() -> None:
    frozen, _ = freeze_layer(nn.Linear(128, 70), 0.02)
    inputs = torch.randn(3, 128, requires_grad=True)
    outputs = frozen(inputs).square().sum()
    with torch.no_grad():
        _values(frozen).add_(1.0)
    with pytest.raises(RuntimeError, match="were changed before their gradient"):
        torch.autograd.grad(outputs, inputs, create_graph=True)


def test_values_given_from_outside_are_used_in_their_own_backward_pass() -> None:
    frozen, _ = freeze_layer(nn.Linear(128, 70), 0.02)
    name = "parametrizations.weight.original"
    inputs = torch.randn(3, 128, requires_grad=True)
    before = torch.autograd.grad(frozen(inputs).sum(), inputs)[0]
    outputs = frozen(inputs).sum()
    other = {name: torch.zeros_like(_values(frozen)).requires_grad_()}
    changed = torch.func.functional_call(frozen, other, (inputs,)).sum()
    assert torch.equal(torch.autograd.grad(outputs, inputs)[0], before)
    assert not torch.equal(torch.autograd.grad(changed, inputs)[0], before)


def test_other_positions_and_another_base_are_noticed() -> None:
    layer = nn.Linear(128, 70, bias=False)
    frozen, _ = freeze_layer(layer, 0.02)
    inputs = torch.randn(3, 128)
    gradients(frozen, inputs)
    other, _ = freeze_layer(nn.Linear(128, 70, bias=False), 0.02)
    shifted = other.state_dict()
    positions = shifted["parametrizations.weight.0.positions"]
    positions[1:-1] = torch.arange(7, 7 + 3 * (len(positions) - 2), 3)
    frozen.load_state_dict(shifted)
    other.load_state_dict(shifted)
    frozen.zero_grad()
    found, expected = gradients(frozen, inputs), gradients(other, inputs)
    for part, tensor in expected.items():
        assert torch.equal(found[part], tensor)
    assert torch.equal(found["outputs"], F.linear(inputs, other.weight))


def test_copies_are_trained_apart() -> None:
    frozen, _ = freeze_layer(nn.Linear(128, 70, bias=False), 0.02)
    inputs = torch.randn(3, 128)
    outputs = frozen(inputs)
    other = copy.deepcopy(frozen)
    with torch.no_grad():
        _values(other).add_(1.0)
    assert not torch.equal(other(inputs), outputs)
    assert torch.equal(frozen(inputs), outputs)


def test_a_second_parametrization_and_a_forward_pass_of_ones_own_are_respected() -> None:
    class Doubled(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            return 2 * super().forward(input)

    class Negated(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return -weight

    plain = nn.Linear(128, 70, bias=False)
    doubled = Doubled(128, 70, bias=False)
    doubled.load_state_dict(plain.state_dict())
    frozen, _ = freeze_layer(doubled, 0.02)
    inputs = torch.randn(3, 128)
    assert torch.equal(frozen(inputs), 2 * plain(inputs))
    frozen, _ = freeze_layer(plain, 0.02)
    parametrize.register_parametrization(frozen, "weight", Negated())
    assert torch.equal(frozen(inputs), -plain(inputs))


def test_without_gradients_and_in_inference_mode_the_output_is_the_same() -> None:
    layer = nn.Linear(128, 70)
    inputs = torch.randn(3, 128)
    outputs = layer(inputs)
    frozen, _ = freeze_layer(layer, 0.02)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert torch.equal(frozen(inputs), outputs)
    with torch.inference_mode():
        born, _ = freeze_layer(layer, 0.02)
        assert torch.equal(born(inputs), outputs)
    _values(frozen).requires_grad_(False)
    assert torch.equal(frozen(inputs), outputs)
