"""Names, order and aliases of a module's tensors."""

from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freezepack.errors import CheckpointError
from freezepack.nn.frozen import freeze_weights
from freezepack.nn.state import dense_state, named_state, order, unwrap


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(3, 4, bias=False)
        self.emb = nn.Embedding(4, 3)
        self.emb.weight = self.out.weight


class WithExtra(nn.Linear):
    def get_extra_state(self) -> object:
        return {"version": 2}

    def set_extra_state(self, state: object) -> None:
        pass


def compile_module(model: nn.Module) -> nn.Module:
    return cast("nn.Module", torch.compile(model, backend="eager"))


def test_file_order_is_that_of_the_utf8_bytes() -> None:
    names = ["b", "a.10", "a.2", "Z", "é", "ß"]
    state = order({name: torch.ones(1) for name in names})
    assert list(state.tensors) == ["Z", "a.10", "a.2", "b", "ß", "é"]
    assert state.streams == {"Z": 0, "a.10": 1, "a.2": 2, "b": 3, "ß": 4, "é": 5}


def test_a_tied_weight_belongs_to_its_first_name_and_has_one_stream() -> None:
    state = named_state(Tied())
    assert list(state.tensors) == ["emb.weight"]
    assert state.aliases == {"out.weight": "emb.weight"}
    assert state.streams == {"emb.weight": 0}


def test_equal_content_is_not_tied_and_neither_are_views_of_another_shape() -> None:
    base = torch.arange(4.0)
    tensors = {"a": base, "b": base.clone(), "c": base.view(2, 2), "d": base[:2], "e": base[:]}
    assert order(tensors).aliases == {"e": "a"}


def test_conjugated_and_negated_views_are_not_tied_to_their_origin() -> None:
    z = torch.tensor([1 + 2j, 3 - 4j])
    state = order({"a": z, "b": z.conj(), "c": z.conj(), "d": z.imag, "e": z.conj().imag})
    assert state.aliases == {"c": "b"}
    assert list(state.tensors) == ["a", "b", "d", "e"]


def test_empty_tensors_are_never_tied() -> None:
    assert order({"a": torch.empty(0), "b": torch.empty(0)}).aliases == {}


def test_wrappers_leave_no_trace_in_the_names() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    compiled = compile_module(model)
    assert list(named_state(nn.DataParallel(model)).tensors) == ["0.bias", "0.weight"]
    assert list(named_state(compiled).tensors) == ["0.bias", "0.weight"]
    inside = nn.Sequential(nn.Linear(2, 2))
    inside[0] = compile_module(inside[0])
    assert list(inside.state_dict()) == ["0._orig_mod.weight", "0._orig_mod.bias"]
    assert list(named_state(inside).tensors) == ["0.bias", "0.weight"]
    assert unwrap(nn.DataParallel(compiled)) is model


def test_a_child_called_module_keeps_its_name() -> None:
    model = nn.ModuleDict({"module": nn.Linear(1, 1, bias=False)})
    assert list(named_state(model).tensors) == ["module.weight"]


def test_buffers_are_included_and_overlays_are_not_visible() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = dense_state(model)
    freeze_weights(model, {"0.weight": np.array([[True, False], [False, False]])})
    after = dense_state(model)
    assert list(after) == list(before)
    assert "1.num_batches_tracked" in after
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_the_dense_state_of_a_tied_frozen_model_has_both_names() -> None:
    model = Tied()
    before = model.out.weight.detach().clone()
    mask = np.zeros((4, 3), np.bool_)
    mask[1, 1] = True
    freeze_weights(model, {"emb.weight": mask})
    assert [tuple(p.shape) for p in model.parameters()] == [(1,)]
    with torch.no_grad():
        next(model.parameters()).fill_(5.0)
    before[1, 1] = 5.0
    state = dense_state(model)
    assert list(state) == ["emb.weight", "out.weight"]
    for tensor in (*state.values(), model.out.weight, model.emb.weight):
        assert torch.equal(tensor, before)
    assert state["emb.weight"].data_ptr() == state["out.weight"].data_ptr()


def test_a_tied_weight_of_which_nothing_is_trained_is_still_tied() -> None:
    model = Tied()
    freeze_weights(model, {"emb.weight": np.zeros((4, 3), np.bool_)})
    assert list(model.parameters()) == []
    assert named_state(model).aliases == {"out.weight": "emb.weight"}


def test_a_copy_does_not_follow_the_model() -> None:
    model = nn.Linear(2, 2)
    state: dict[str, Tensor] = dense_state(model)
    nn.init.zeros_(model.weight)
    assert state["weight"].abs().sum() > 0


def test_extra_state_that_is_no_tensor_is_refused_by_name() -> None:
    with pytest.raises(CheckpointError, match="_extra_state is a dict, expected a tensor"):
        named_state(WithExtra(1, 1))
