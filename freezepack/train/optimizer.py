"""Optimisers over what a model trains; frozen weights are not among its parameters."""

from typing import Any

import torch
from torch import nn

from freezepack.train.config import RunConfig


def build_optimizer(config: RunConfig, model: nn.Module) -> torch.optim.Optimizer:
    """Build the optimiser of a run.

    Weight decay acts on trained values only: a frozen weight is not a parameter, so nothing
    pulls it from its seeded value.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    # one pass over all values: an optimiser of separate operations takes ten times as long for few
    fused = all(p.device.type in ("cpu", "cuda") for p in parameters)
    options: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay, "fused": fused}
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=config.momentum, **options)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(parameters, **options)
    return torch.optim.Adam(parameters, **options)
