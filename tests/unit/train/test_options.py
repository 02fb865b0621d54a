"""Options of training: averages, smoothing, augmentation, mixed precision; all resume exactly."""

from pathlib import Path

import pytest
import torch
from torch import nn

from freezepack.train import run
from freezepack.train.average import Average
from freezepack.train.checkpoint import load_checkpoint
from freezepack.train.config import RunConfig
from freezepack.train.loop import Callback, Epoch
from tests.unit.train.helpers import small_config


class Stop(Callback):
    """Interrupt a run behind its second epoch."""

    def on_epoch(self, epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "settings",
    [
        {"ema": 0.9},
        {"augmentation": "shift"},
        {"label_smoothing": 0.1},
        {"precision": "bfloat16"},
    ],
)
def test_options_change_the_result_and_resume_bit_for_bit(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    config = small_config(epochs=3, batch_size=8, **settings)
    run(config, out=tmp_path / "whole")
    run(small_config(epochs=3, batch_size=8), out=tmp_path / "plain")
    with pytest.raises(KeyboardInterrupt):
        run(config, out=tmp_path / "parts", callbacks=[Stop()])
    run(config, out=tmp_path / "parts", resume=True)
    whole, parts, plain = (
        load_checkpoint(tmp_path / name / "model.pt").state for name in ("whole", "parts", "plain")
    )
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())
    assert not torch.equal(whole["fc3.bias"], plain["fc3.bias"])


def test_the_average_is_what_the_model_has_in_the_end() -> None:
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    average = Average(layer, decay=0.5)
    for value in (2.0, 4.0):
        with torch.no_grad():
            layer.weight.fill_(value)
        average.update()
    # 1 -> 1 + 9/11 * 1, then -> ... + 9/12 * (4 - ...)
    expected = 1 + 9 / 11
    expected += (4 - expected) * 9 / 12
    with average.applied():
        assert layer.weight.item() == pytest.approx(expected)
    assert layer.weight.item() == 4.0
    average.apply()
    assert layer.weight.item() == pytest.approx(expected)


def test_the_average_of_another_model_is_refused() -> None:
    average = Average(nn.Linear(2, 2), 0.9)
    state = Average(nn.Linear(2, 2, bias=False), 0.9).state()
    with pytest.raises(ValueError, match="belongs to another model"):
        average.load_state(state)


def test_defaults_are_those_of_the_data() -> None:
    assert RunConfig().augmentation == "none"
    assert RunConfig(data="cifar-10", model="resnet-20").augmentation == "crop-flip"
    with pytest.raises(ValueError, match=r"ema is 1\.0, expected 0 <= ema < 1"):
        RunConfig(ema=1.0)
    with pytest.raises(ValueError, match=r"label_smoothing is 1\.5"):
        RunConfig(label_smoothing=1.5)
    with pytest.raises(LookupError, match="no precision named 'fp8'"):
        RunConfig(precision="fp8")
