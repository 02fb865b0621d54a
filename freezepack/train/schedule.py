"""Learning rate as a function of the step: nothing to store, so resuming is exact."""

import math

from freezepack.train.config import RunConfig


def learning_rate(config: RunConfig, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step.

    Parameters
    ----------
    config : RunConfig
        Schedule, `lr`, `warmup`, `milestones`, `gamma` and `epochs`.
    step : int
        0 for the first step of the run.
    steps_per_epoch : int
        Optimiser steps in an epoch.

    Examples
    --------
    >>> config = RunConfig(lr=1.0, epochs=10, warmup=1.0)
    >>> [learning_rate(config, step, 4) for step in (0, 3, 4)]
    [0.25, 1.0, 1.0]
    >>> learning_rate(config, 22, 4)
    0.5
    """
    base = float(config.lr or 0.0)
    total = int(config.epochs or 1) * steps_per_epoch
    rise = min(round(config.warmup * steps_per_epoch), total)
    if step < rise:
        return base * (step + 1) / rise
    if config.schedule == "cosine":
        return base * 0.5 * (1 + math.cos(math.pi * (step - rise) / (total - rise)))
    if config.schedule == "step":
        return base * config.gamma ** sum(step >= share * total for share in config.milestones)
    return base
