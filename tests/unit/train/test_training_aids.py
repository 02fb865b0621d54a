"""What training loops do to a module: scaling, accumulation, averages, copies and state dicts."""

import copy
import io
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import freezepack.torch as fpk
from freezepack.nn.record import FreezeRecord
from freezepack.nn.state import dense_state
from freezepack.train.freezing import check_frozen
from tests.unit.train.modules import equal, fresh, train


def test_mixed_precision_with_a_scaler_moves_trained_values_only() -> None:
    model, batch = fresh("group norm")
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    before, scaler = dense_state(model), torch.amp.GradScaler("cpu", init_scale=64.0)
    optimizer = torch.optim.AdamW(model.parameters(), 0.02, weight_decay=0.3)
    for _ in range(2):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(model(batch[0]).float(), batch[1])
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    check_frozen(model)
    assert not equal(dense_state(model), before)


def test_gradients_of_parts_add_up_to_those_of_the_batch() -> None:
    model, (inputs, labels) = fresh("separable")
    fpk.freeze(model, rate="0.7", batch=(inputs, labels), seed=3)
    F.cross_entropy(model(inputs), labels).backward()  # type: ignore[no-untyped-call]
    whole = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    for part in (slice(0, 3), slice(3, 6)):
        (F.cross_entropy(model(inputs[part]), labels[part]) / 2).backward()  # type: ignore[no-untyped-call]
    for parameter, grad in zip(model.parameters(), whole, strict=True):
        torch.testing.assert_close(parameter.grad, grad)


@pytest.mark.parametrize("buffers", [False, True])
def test_an_averaged_model_keeps_the_base_and_can_be_packed(buffers: bool, tmp_path: Path) -> None:
    model, batch = fresh("transformer")
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    ema = get_ema_multi_avg_fn(0.9)  # type: ignore[no-untyped-call]
    average = AveragedModel(model, multi_avg_fn=ema, use_buffers=buffers)
    for _ in range(3):
        train(model, batch, steps=1)
        average.update_parameters(model)
    check_frozen(average)
    assert not equal(dense_state(average), dense_state(model))
    fpk.save_model(average, tmp_path / "average.fpk")
    fpk.save_model(model, tmp_path / "model.fpk")
    assert equal(fpk.load_file(tmp_path / "average.fpk"), dense_state(average))
    sizes = [(tmp_path / f"{name}.fpk").stat().st_size for name in ("average", "model")]
    assert sizes[0] < 1.1 * sizes[1]  # base and masks are known of the average as well


@pytest.mark.parametrize("name", ["transformer", "twice", "batch norm"])
def test_copies_and_pickled_state_dicts_go_on_alike(name: str) -> None:
    model, batch = fresh(name)
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    train(model, batch)
    twin, other = copy.deepcopy(model), fresh(name)[0]
    fpk.freeze(other, rate="0.7", batch=batch, seed=3)
    stream = io.BytesIO()
    torch.save(model.state_dict(), stream)
    stream.seek(0)
    other.load_state_dict(torch.load(stream, weights_only=True))
    for each in (model, twin, other):
        train(each, batch)
        check_frozen(each)
    assert equal(dense_state(twin), dense_state(model))
    assert equal(dense_state(other), dense_state(model))


def test_a_state_dict_of_a_model_with_other_masks_is_noticed() -> None:
    model, batch = fresh("twice")
    other = copy.deepcopy(model)
    found: list[FreezeRecord] = [
        fpk.freeze(each, rate="0.7", score="random", seed=seed)
        for each, seed in ((model, 3), (other, 4))
    ]
    assert list(found[0].masks) == list(found[1].masks)
    state = other.state_dict()
    with pytest.raises(RuntimeError, match="size mismatch"):
        model.load_state_dict(state)
    assert batch[0].shape == (6, 8)
