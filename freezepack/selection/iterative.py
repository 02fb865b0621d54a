"""Iterative selection: prune a little, score the pruned network, prune a little more."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import nn

from freezepack.errors import SelectionError, UnknownNameError
from freezepack.scores.task import Score, ScoreTask
from freezepack.selection.rate import trained_count
from freezepack.selection.topk import Masks, select_count

SCHEDULES = ("exponential", "linear")
DEFAULT_STEPS = 100


def iterative(
    model: nn.Module,
    score: Score,
    task: ScoreTask,
    rate: str | float,
    *,
    budget: str = "global",
    steps: int = DEFAULT_STEPS,
    schedule: str = "exponential",
) -> Masks:
    """Remove weights step by step; what is removed never comes back.

    With `snip` this is Iterative SNIP, with `synflow` the algorithm of SynFlow, with `grasp`
    GraSP iterated. Costs `steps` times the score.

    Parameters
    ----------
    model, score, task, rate, budget
        As for `one_shot`.
    steps : int
        Number of rounds, 1 or more; 1 is `one_shot`.
    schedule : {"exponential", "linear"}
        How the number of kept weights falls: by the same factor or by the same number each round.

    Raises
    ------
    SelectionError
        If the rate is impossible, a score is NaN, or there is no round.
    UnknownNameError
        If there is no such schedule.

    Notes
    -----
    The network is scored with removed weights at 0, and with the same batch in each round. The
    network itself is not changed: where frozen weights keep their seeded value, the mask found on
    the pruned network is used all the same.

    References
    ----------
    De Jorge et al., "Progressive Skeletonization: Trimming more fat from a network at
    initialization", arXiv:2006.09081; Tanaka et al., arXiv:2006.05467.

    Examples
    --------
    >>> from freezepack.scores.magnitude import magnitude
    >>> layer = nn.Linear(100, 10)
    >>> masks = iterative(layer, magnitude, ScoreTask(("weight",)), rate=0.99, steps=5)
    >>> int(masks["weight"].sum())
    10
    """
    rounds = _rounds(model, task, rate, steps, schedule)
    return _iterate(model, score, task, rounds, budget, regrow=False)


def force(
    model: nn.Module,
    score: Score,
    task: ScoreTask,
    rate: str | float,
    *,
    budget: str = "global",
    steps: int = DEFAULT_STEPS,
    schedule: str = "exponential",
) -> Masks:
    """Select fewer weights step by step; one that was left out earlier may regrow.

    With `snip` this is FORCE: the score is abs(w * dL/dw) with the initial value w of every
    weight and the gradient at the pruned network, where weights left out are 0. Parameters,
    errors and cost as for `iterative`.

    References
    ----------
    De Jorge et al., "Progressive Skeletonization: Trimming more fat from a network at
    initialization", arXiv:2006.09081.

    Examples
    --------
    >>> from freezepack.scores.magnitude import magnitude
    >>> layer = nn.Linear(100, 10)
    >>> masks = force(layer, magnitude, ScoreTask(("weight",)), rate=0.99, steps=5)
    >>> int(masks["weight"].sum())
    10
    """
    rounds = _rounds(model, task, rate, steps, schedule)
    return _iterate(model, score, task, rounds, budget, regrow=True)


def kept_counts(size: int, count: int, steps: int, schedule: str) -> list[int]:
    """Return how many of `size` weights are kept after each round; the last is `count`.

    Raises
    ------
    SelectionError
        If `steps` is below 1.
    UnknownNameError
        If there is no such schedule.

    Examples
    --------
    >>> kept_counts(1000, 1, 3, "exponential"), kept_counts(1000, 1, 3, "linear")
    ([100, 10, 1], [667, 334, 1])
    """
    if schedule not in SCHEDULES:
        raise UnknownNameError("schedule of rounds", schedule, SCHEDULES)
    if steps < 1:
        raise SelectionError(f"number of rounds is {steps}, expected 1 or more")
    if schedule == "linear":
        kept = [size - round((size - count) * step / steps) for step in range(1, steps)]
    else:
        kept = [round(size * (count / size) ** (step / steps)) for step in range(1, steps)]
    return [max(number, count) for number in kept] + [count]


def _iterate(
    model: nn.Module, score: Score, task: ScoreTask, rounds: list[int], budget: str, *, regrow: bool
) -> Masks:
    masks: Masks = {}
    for count in rounds:
        scores = score(model, replace(task, masks=masks or None))
        numbers = {name: scores[name].numpy() for name in task.names}
        if masks and not regrow:
            numbers = {n: np.where(masks[n], part, _removed(part)) for n, part in numbers.items()}
        masks = select_count(numbers, count, budget)
    return masks


def _rounds(
    model: nn.Module, task: ScoreTask, rate: str | float, steps: int, schedule: str
) -> list[int]:
    size = sum(model.get_parameter(name).numel() for name in task.names)
    return kept_counts(size, trained_count(size, rate), steps, schedule)


def _removed(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the score of weights that are out for good; NaN stays what it is, an error."""
    return np.where(np.isnan(scores), scores, -np.inf)
