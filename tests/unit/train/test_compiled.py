"""Frozen modules under `torch.compile`."""

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import freezepack.torch as fpk
from freezepack.nn.record import record_of
from freezepack.nn.state import dense_state
from freezepack.train.freezing import check_frozen
from tests.unit.train.modules import equal, fresh, train


def compiled(name: str, backend: str) -> None:
    model, batch = fresh(name)
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    twin = copy.deepcopy(model)
    fast: Any = torch.compile(twin, backend=backend)
    for each in (model, fast):
        F.cross_entropy(each(batch[0]), batch[1]).backward()  # type: ignore[no-untyped-call]
    for (key, value), same in zip(model.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(same.grad, value.grad, msg=key, rtol=1e-4, atol=1e-6)
    train(fast, batch)
    check_frozen(fast)
    assert record_of(fast) is record_of(twin)
    assert not equal(dense_state(fast), dense_state(model))


def test_a_compiled_module_is_traced_in_one_piece_and_gives_the_same_numbers() -> None:
    torch.compiler.reset()
    compiled("group norm", "aot_eager")
    model, batch = fresh("twice")
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    whole = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(whole(batch[0]), model(batch[0]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transformer", "batch norm"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_compiled_to_machine_code_gives_the_same_numbers(name: str) -> None:
    from torch._inductor.exc import InvalidCxxCompiler

    torch.compiler.reset()
    try:
        compiled(name, "inductor")
    except InvalidCxxCompiler:
        pytest.skip("no C++ compiler")
