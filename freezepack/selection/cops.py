"""COPS: one score decides, others must not fall short."""

import numpy as np
from torch import nn

from freezepack.errors import SelectionError
from freezepack.scores import SCORES
from freezepack.scores.synaptic import normalise
from freezepack.scores.task import Score, ScoreTask
from freezepack.selection.combine import combine, combine_two
from freezepack.selection.rate import trained_count
from freezepack.selection.topk import Masks
from freezepack.types import BoolArray


def cops(
    model: nn.Module,
    score: Score,
    task: ScoreTask,
    rate: str | float,
    *,
    control: str = "synflow",
    share: float = 0.5,
) -> Masks:
    """Keep the weights with the most of one score that have enough of others, at initialization.

    Each score is computed once. Two scores are combined by the analytic solution of the relaxed
    linear program, more of them by a solver, see `freezepack.selection.combine`.

    Parameters
    ----------
    model, score, task, rate
        As for `one_shot`; `score` is the one to have the most of.
    control : str
        Names of `SCORES`, joined by "+".
    share : float
        How much of every control score is enough: 0 what the main score alone would give, 1 as
        much as any mask can have.

    Raises
    ------
    SelectionError
        If the rate or the share is impossible, a score is not finite or 0 everywhere, or no mask
        has enough of several controls.
    UnknownNameError
        If there is no such score.
    MissingExtraError
        If there are several controls and scipy is not installed.

    References
    ----------
    Wimmer, Mehnert, Condurache, "COPS: Controlled Pruning Before Training Starts",
    arXiv:2107.12673; read as described in `freezepack.selection.combine`.

    Examples
    --------
    >>> from freezepack.scores.magnitude import magnitude
    >>> layer = nn.Linear(100, 10)
    >>> task = ScoreTask(("weight",), {"weight": 0}, seed=1)
    >>> int(cops(layer, magnitude, task, rate=0.99, control="random")["weight"].sum())
    10
    """
    shapes = {name: tuple(model.get_parameter(name).shape) for name in task.names}
    count = trained_count(sum(model.get_parameter(name).numel() for name in task.names), rate)
    if not 0 <= share <= 1:
        raise SelectionError(f"share of a control score is {share}, expected 0 to 1")
    parts = [SCORES.get_part(name) for name in control.split("+")]
    main, *controls = (
        normalise({name: scores[name].numpy() for name in task.names})
        for scores in (part(model, task) for part in (score, *parts))
    )
    if len(controls) == 1:
        mask = combine_two(main, controls[0], count, share).mask
    else:
        mask = combine(main, controls, count, [share] * len(controls)).mask
    return _split(mask, shapes)


def _split(mask: BoolArray, shapes: dict[str, tuple[int, ...]]) -> Masks:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(mask, ends[:-1])
    return {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
