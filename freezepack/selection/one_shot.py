"""One-shot selection: score the initial network once and keep the highest."""

from typing import Protocol

from torch import nn

from freezepack.scores.task import Score, ScoreTask
from freezepack.selection.rate import trained_count
from freezepack.selection.topk import Masks, select


class Strategy(Protocol):
    """A strategy turns a network, a score and a rate into masks; it changes nothing."""

    def __call__(self, model: nn.Module, score: Score, task: ScoreTask, rate: str | float) -> Masks:
        """Return a mask for each weight of `task.names`; True is trained.

        Options of a strategy are further keyword arguments with defaults.
        """
        ...


def one_shot(
    model: nn.Module,
    score: Score,
    task: ScoreTask,
    rate: str | float,
    *,
    budget: str = "global",
) -> Masks:
    """Score once, then keep the highest of all weights together, or of each layer.

    FreezeNet is `one_shot(snip)` with the rest frozen at its seed, SNIP with the rest at 0.

    Raises
    ------
    SelectionError
        If the rate is impossible (checked before anything is computed) or a score is NaN.

    Examples
    --------
    >>> from freezepack.scores.magnitude import magnitude
    >>> layer = nn.Linear(100, 10)
    >>> masks = one_shot(layer, magnitude, ScoreTask(("weight",)), rate=0.99)
    >>> int(masks["weight"].sum())
    10
    """
    trained_count(sum(model.get_parameter(name).numel() for name in task.names), rate)
    scores = score(model, task)
    return select({name: scores[name].numpy() for name in task.names}, rate, budget)
