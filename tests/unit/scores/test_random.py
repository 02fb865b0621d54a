"""The random score is the generator's, and its masks are those of the `seeded` index."""

import numpy as np
import torch
from torch import nn

from freezepack.random import smallest_words
from freezepack.scores.random import MASK_STREAMS, random
from freezepack.scores.task import ScoreTask
from freezepack.selection.topk import select


def test_the_highest_scores_are_the_smallest_words_of_the_mask_stream() -> None:
    model = nn.ModuleDict({"a": nn.Linear(30, 20), "b": nn.Linear(20, 10)})
    task = ScoreTask(("a.weight", "b.weight"), {"a.weight": 1, "b.weight": 3}, seed=5)
    masks = select({k: v.numpy() for k, v in random(model, task).items()}, "0.9")
    assert sum(int(mask.sum()) for mask in masks.values()) == 80
    for name, mask in masks.items():
        stream = MASK_STREAMS + task.streams[name]
        expected = smallest_words(5, stream, 0, mask.size, int(mask.sum()))
        assert np.flatnonzero(mask).tolist() == expected.tolist()


def test_the_weights_themselves_do_not_matter() -> None:
    layer = nn.Linear(3, 3)
    task = ScoreTask(("weight",), {"weight": 1}, seed=1)
    before = random(layer, task)["weight"]
    nn.init.zeros_(layer.weight)
    assert torch.equal(random(layer, task)["weight"], before)
