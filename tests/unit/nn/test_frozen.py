"""The overlay: one short parameter per weight, and exactly the gradients of dense training."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrize

from freezepack.errors import SelectionError
from freezepack.models.build import build_model
from freezepack.nn.frozen import freeze_weights, frozen_masks
from freezepack.nn.overlay import Overlay
from freezepack.nn.record import FreezeRecord, attach_record, record_of
from freezepack.nn.state import dense_state
from freezepack.types import BoolArray


def random_masks(model: nn.Module, density: float = 0.01, seed: int = 0) -> dict[str, BoolArray]:
    rng = np.random.default_rng(seed)
    masks: dict[str, BoolArray] = {}
    for name, parameter in model.named_parameters():
        if parameter.dim() >= 2:
            mask = rng.random(tuple(parameter.shape)) < density
            mask.reshape(-1)[0] = True
            masks[name] = mask
    return masks


def gradients(model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss = F.cross_entropy(model(inputs), torch.arange(len(inputs)) % 10)
    loss.backward()  # type: ignore[no-untyped-call]
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("channels_last", [False, True])
def test_values_get_the_gradient_of_dense_training_and_nothing_else_is_a_parameter(
    channels_last: bool,
) -> None:
    model = build_model("lenet5-caffe")
    if channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    masks = random_masks(model)
    inputs = torch.randn(8, 1, 28, 28)
    dense = gradients(model, inputs)
    outputs = model(inputs)
    freeze_weights(model, masks)
    assert torch.equal(model(inputs), outputs)
    sparse = gradients(model, inputs)
    assert len(sparse) == 8
    for name, mask in masks.items():
        layer = name.removesuffix(".weight")
        found = sparse[f"{layer}.parametrizations.weight.original"]
        assert found.shape == (int(mask.sum()),)
        torch.testing.assert_close(found, dense[name].contiguous()[torch.from_numpy(mask)])
        torch.testing.assert_close(sparse[f"{layer}.bias"], dense[f"{layer}.bias"])


def test_a_change_of_layout_afterwards_moves_nothing() -> None:
    model = build_model("lenet5-caffe")
    masks = random_masks(model)
    freeze_weights(model, masks)
    before = dense_state(model)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert all(torch.equal(t, before[name]) for name, t in dense_state(model).items())
    values = model.get_parameter("conv2.parametrizations.weight.original")
    with torch.no_grad():
        values.copy_(torch.arange(1.0, len(values) + 1))
    weight = model.get_submodule("conv2").weight.detach().contiguous()  # type: ignore[operator]
    mask = torch.from_numpy(masks["conv2.weight"])
    assert weight[mask].tolist() == list(range(1, len(values) + 1))
    assert torch.equal(weight[~mask], before["conv2.weight"][~mask])


def test_masks_can_be_read_back() -> None:
    model = build_model("lenet-300-100")
    masks = random_masks(model)
    freeze_weights(model, masks)
    assert all((mask == masks[name]).all() for name, mask in frozen_masks(model).items())


def test_nothing_trained_is_no_parameter_and_everything_trained_stays_one() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    before = dense_state(model)
    none, every = np.zeros((3, 3), np.bool_), np.ones((3, 3), np.bool_)
    freeze_weights(model, {"0.weight": none, "1.weight": every})
    assert [name for name, _ in model.named_parameters()] == ["0.bias", "1.weight", "1.bias"]
    assert list(frozen_masks(model)) == ["0.weight"]
    assert all(torch.equal(t, before[name]) for name, t in dense_state(model).items())
    model(torch.ones(1, 3)).sum().backward()


def test_a_weight_that_is_read_twice_gets_both_gradients() -> None:
    layer = nn.Linear(2, 2, bias=False)
    freeze_weights(layer, {"weight": np.array([[True, False], [False, False]])})
    inputs = torch.tensor([[2.0, 0.0]])
    layer(inputs)[0, 0].backward()
    (once,) = next(layer.parameters()).grad.tolist()  # type: ignore[union-attr]
    layer.zero_grad()
    (layer(inputs) + layer(inputs))[0, 0].backward()
    assert (once, next(layer.parameters()).grad.tolist()) == (2.0, [4.0])  # type: ignore[union-attr]


def test_backward_uses_the_weights_of_its_own_forward_pass() -> None:
    layer = nn.Linear(2, 1, bias=False)
    freeze_weights(layer, {"weight": np.array([[True, False]])})
    inputs = torch.ones(1, 2, requires_grad=True)
    before = layer.weight.detach().clone()
    loss = layer(inputs).sum()
    with torch.no_grad():
        next(layer.parameters()).add_(1.0)
    layer(torch.ones(1, 2))
    loss.backward()
    assert inputs.grad is not None
    assert torch.equal(inputs.grad, before)


def test_each_vector_of_values_makes_its_own_weight() -> None:
    overlay = Overlay(torch.zeros(1, 2), torch.tensor([1]))
    one, two = torch.tensor([1.0]), torch.tensor([2.0])
    assert [overlay(values).tolist() for values in (one, two, one)] == [
        [[0.0, 1.0]],
        [[0.0, 2.0]],
        [[0.0, 1.0]],
    ]
    inputs, values = torch.ones(2, requires_grad=True), torch.tensor([3.0], requires_grad=True)
    loss = (overlay(values) * inputs).sum()
    overlay(two)
    loss.backward()
    assert inputs.grad is not None
    assert inputs.grad.tolist() == [0.0, 3.0]


def clamp_data(model: nn.Module) -> None:
    model.get_submodule("1").weight.data.clamp_(0.5, 0.6)  # type: ignore[operator]


def reset(model: nn.Module) -> None:
    model.get_submodule("1").reset_parameters()  # type: ignore[operator]


def initialise(model: nn.Module) -> None:
    def fill(module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.ones_(module.weight)

    model.apply(fill)


@pytest.mark.parametrize("trained", [0, 3])
@pytest.mark.parametrize("write", [clamp_data, reset, initialise])
def test_writing_to_the_weight_that_is_handed_out_moves_nothing(
    write: Callable[[nn.Module], None], trained: int
) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(30, 30, bias=False))
    mask = np.zeros(900, np.bool_)
    mask[:trained] = True
    freeze_weights(model, {"1.weight": mask.reshape(30, 30)})
    before = dense_state(model)["1.weight"]
    write(model)
    assert torch.equal(dense_state(model)["1.weight"], before)
    assert torch.equal(model(torch.eye(30)), before.T)


@pytest.mark.parametrize("read_before", [False, True])
@pytest.mark.parametrize("copied", [False, True])
def test_positions_that_were_loaded_are_those_that_count(copied: bool, read_before: bool) -> None:
    models = [nn.Conv2d(4, 4, 3, bias=False) for _ in range(2)]
    for i, model in enumerate(models):
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        mask = np.zeros((4, 4, 3, 3), np.bool_)
        mask[i, :, 1] = True
        freeze_weights(model, {"weight": mask})
        attach_record(model, FreezeRecord("zeros", None, "0.5", "snip", masks={"weight": mask}))
    old, new = models
    if read_before:
        assert old.weight.shape == (4, 4, 3, 3)
    old.load_state_dict(new.state_dict())
    old = copy.deepcopy(old) if copied else old
    assert torch.equal(old.weight, new.weight)
    (old.weight * new.weight.detach()).sum().backward()  # type: ignore[no-untyped-call]
    (grad,) = [p.grad for p in old.parameters()]
    mask = frozen_masks(new)["weight"]
    assert grad is not None
    assert torch.equal(grad, new.weight.detach()[torch.from_numpy(mask)])
    record = record_of(old)
    assert record is not None
    assert (record.masks["weight"] == mask).all()


def test_second_derivatives_are_those_of_the_dense_layer() -> None:
    dense = nn.Linear(3, 2, bias=False)
    frozen = copy.deepcopy(dense)
    mask = np.array([[True, False, True], [False, True, False]])
    freeze_weights(frozen, {"weight": mask})
    inputs = torch.tensor([[0.5, -1.0, 2.0]])

    def curvature(layer: nn.Linear, parameter: Tensor) -> Tensor:
        loss = layer(inputs).pow(3).sum()
        (grad,) = torch.autograd.grad(loss, parameter, create_graph=True)
        (second,) = torch.autograd.grad(grad.sum(), parameter)
        return second

    keep = torch.from_numpy(mask)
    (first,) = torch.autograd.grad(dense(inputs).pow(3).sum(), dense.weight, create_graph=True)
    (expected,) = torch.autograd.grad(first[keep].sum(), dense.weight)
    found = curvature(frozen, next(frozen.parameters()))
    torch.testing.assert_close(found, expected[keep])


def test_copies_and_state_dicts_carry_the_overlay() -> None:
    model = build_model("lenet-300-100")
    freeze_weights(model, random_masks(model))
    inputs = torch.randn(2, 1, 28, 28)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        next(iter(twin.parameters())).add_(1.0)
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin(inputs), model(inputs))


def test_torch_can_take_the_overlay_off_again() -> None:
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    freeze_weights(layer, {"weight": np.array([[True, False, False], [False, False, True]])})
    parametrize.remove_parametrizations(layer, "weight")
    assert isinstance(layer.weight, nn.Parameter)
    assert torch.equal(layer.weight, before)


def test_assigning_a_dense_weight_keeps_what_is_trained() -> None:
    layer = nn.Linear(2, 2, bias=False)
    before = layer.weight.detach().clone()
    freeze_weights(layer, {"weight": np.array([[False, True], [False, False]])})
    layer.weight = torch.full((2, 2), 9.0)
    before[0, 1] = 9.0
    assert torch.equal(layer.weight, before)


def test_lower_precision_and_strided_weights_are_frozen_too() -> None:
    layer = nn.Linear(4, 3, dtype=torch.bfloat16)
    layer.weight = nn.Parameter(torch.randn(4, 6, dtype=torch.bfloat16)[:, ::2].T)
    before = layer.weight.detach().clone()
    mask = np.zeros((3, 4), np.bool_)
    mask[2, 1] = True
    freeze_weights(layer, {"weight": mask})
    with torch.no_grad():
        layer.get_parameter("parametrizations.weight.original").fill_(2.0)
    before[2, 1] = 2.0
    assert torch.equal(layer.weight, before)


def test_attention_reads_its_weights_without_calling_the_layers() -> None:
    model = nn.MultiheadAttention(4, 2, batch_first=True)
    inputs = torch.randn(2, 3, 4)
    before = model(inputs, inputs, inputs)[0]
    freeze_weights(model, random_masks(model, 0.2))
    after = model(inputs, inputs, inputs)[0]
    torch.testing.assert_close(after, before)
    after.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_compiled_forward_rebuilds_the_same_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.tensor([5.0, 6.0], requires_grad=True)
    overlay = Overlay(torch.zeros(2, 2), torch.tensor([1, 3]))
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    weight = overlay(values)
    assert weight.tolist() == [[0.0, 5.0], [0.0, 6.0]]
    (weight * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [2.0, 4.0]
    assert overlay.base.abs().sum() == 0


@pytest.mark.parametrize(
    ("name", "shape", "problem"),
    [
        ("fc9.weight", (2, 2), "'fc9.weight' belongs to no parameter of the model"),
        ("fc3.weight", (2, 2), r"has shape \(2, 2\), expected \(10, 100\)"),
    ],
)
def test_a_mask_from_another_model_changes_nothing(
    name: str, shape: tuple[int, ...], problem: str
) -> None:
    model = build_model("lenet-300-100")
    masks = {**random_masks(model), name: np.zeros(shape, np.bool_)}
    with pytest.raises(SelectionError, match=problem):
        freeze_weights(model, masks)
    assert len(list(model.parameters())) == 6
    assert not frozen_masks(model)


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint8])
def test_a_mask_that_is_not_of_bools_is_refused(kind: type) -> None:
    model = nn.Linear(2, 2)
    mask: Any = np.array([[1, 0], [0, 1]], kind)
    with pytest.raises(SelectionError, match=f"'weight' has elements of {kind.__name__}, not bool"):
        freeze_weights(model, {"weight": mask})
    assert [tuple(p.shape) for p in model.parameters()] == [(2, 2), (2,)]


def test_recurrent_layers_are_refused_by_name() -> None:
    model = nn.LSTM(2, 3)
    with pytest.raises(SelectionError, match="'weight_ih_l0' is a recurrent layer's weight"):
        freeze_weights(model, random_masks(model))


def test_the_record_stays_with_the_model_and_its_copies() -> None:
    model = nn.Linear(1, 1)
    record = FreezeRecord("zeros", None, "0.5", "snip")
    attach_record(nn.DataParallel(model), record)
    assert record_of(copy.deepcopy(model)) == record


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=5).map(tuple),
    make=st.sampled_from([Tensor.contiguous, lambda t: t.mT.contiguous().mT]),
    seed=st.integers(0, 1000),
)
def test_any_shape_and_layout_is_rebuilt_exactly(
    shape: tuple[int, ...], make: Callable[[Tensor], Tensor], seed: int
) -> None:
    dense = make(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(seed + 1)) < 0.5
    overlay = Overlay(dense.clone(), mask.reshape(-1).nonzero().reshape(-1))
    values = torch.arange(float(mask.sum()))
    expected = dense.clone()
    expected[mask] = values
    rebuilt = overlay(values)
    assert torch.equal(rebuilt, expected)
    grad = torch.randn(shape)
    assert torch.equal(overlay.gather(grad, rebuilt.stride()), grad[mask])
    assert torch.equal(overlay.gather(make(grad), rebuilt.stride()), grad[mask])


def test_a_sparse_gradient_reaches_the_trained_entries() -> None:
    table = nn.Embedding(6, 3, sparse=True)
    mask = np.zeros((6, 3), np.bool_)
    mask[1, 2] = mask[4, 0] = True
    freeze_weights(table, {"weight": mask})
    table(torch.tensor([1, 1, 2])).sum().backward()
    (values,) = table.parameters()
    assert values.grad is not None
    assert values.grad.tolist() == [2.0, 0.0]


def test_parameters_that_only_share_memory_are_refused() -> None:
    first, second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    second.weight = nn.Parameter(first.weight.data)
    with pytest.raises(SelectionError, match=r"shares the memory of '0\.weight'"):
        freeze_weights(nn.Sequential(first, second), {"0.weight": np.eye(3, dtype=np.bool_)})
