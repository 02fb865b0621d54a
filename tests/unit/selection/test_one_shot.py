"""One-shot selection scores once and picks the exact count."""

import pytest
import torch
from torch import nn

from freezepack.errors import SelectionError
from freezepack.scores.magnitude import magnitude
from freezepack.scores.task import Scores, ScoreTask
from freezepack.selection import STRATEGIES
from freezepack.selection.one_shot import one_shot


def test_the_largest_weights_of_all_layers_are_trained() -> None:
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        model.get_parameter("0.weight").copy_(torch.tensor([[3.0, -4.0]]))
        model.get_parameter("1.weight").copy_(torch.tensor([[-5.0], [0.5]]))
    masks = one_shot(model, magnitude, ScoreTask(("0.weight", "1.weight")), "0.5")
    assert masks["0.weight"].tolist() == [[False, True]]
    assert masks["1.weight"].tolist() == [[True], [False]]


def test_an_impossible_rate_is_refused_before_anything_is_scored() -> None:
    def never(model: nn.Module, task: ScoreTask) -> Scores:
        raise RuntimeError("scored")

    layer = nn.Linear(2, 2)
    for rate in ("1", "0.99"):
        with pytest.raises(SelectionError, match="freezing rate"):
            one_shot(layer, never, ScoreTask(("weight",)), rate)


def test_every_strategy_of_the_table_can_be_loaded() -> None:
    assert all(callable(STRATEGIES.get_part(name)) for name in STRATEGIES)
