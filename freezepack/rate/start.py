"""Networks put on grids: begun from a seed or continued from a checkpoint."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.rate.config import RateConfig
from freezepack.rate.live import narrow
from freezepack.rate.optimizer import RateOptimizer
from freezepack.rate.options import GridOptions
from freezepack.rate.rated import Rated
from freezepack.rate.session import RateSession
from freezepack.rate.stored import network_of
from freezepack.rate.target import TargetControl
from freezepack.train.checkpoint import Checkpoint
from freezepack.train.data.dataset import Dataset

_SCHEME = "kaiming_normal"
_BELOW = 0.5
"""Part of the rate weight that the search for a target begins with: what is gone hardly returns."""


def begin(config: RateConfig, data: Dataset, device: str = "cpu") -> RateSession:
    """Build and initialise a network of ours and put it on grids.

    Raises
    ------
    SelectionError
        If the rows that shall stay are impossible for the network.
    """
    model = build_model(config.model, config.model_args)
    fill_module(model, config.seed, _SCHEME)
    metadata = network_of(config.model, config.model_args)
    return put_on_grid(model.to(device), config, data, metadata)


def put_on_grid(
    model: nn.Module,
    config: RateConfig,
    data: Dataset,
    metadata: Mapping[str, str] | None = None,
) -> RateSession:
    """Put any initialised network on grids, as the configuration says; changed in place."""
    full: dict[str, tuple[int, ...]] = {}
    if config.rows:
        example, _ = data.batch(data.split("train"), slice(0, 2))
        full = narrow(model, config.rows, example)
        _restore_spread(model, full)
    if config.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    count = -(-len(data.split("train")) // config.batch_size)
    optimizer = RateOptimizer(
        model.named_parameters(),
        rate_weight=config.rate_weight * (1 if config.target_bytes is None else _BELOW),
        steps=config.epochs * count,
        lr=config.lr,
        options=GridOptions(
            most=config.most,
            coarseness=config.coarseness,
            vector_step=config.vector_step,
            scale_lr=config.scale_lr,
            ramp=config.ramp,
            hold_from=config.hold_from,
        ),
    )
    control = TargetControl(config.target_bytes) if config.target_bytes else None
    return RateSession(config, Rated(model, optimizer, full, metadata or {}), control)


def restore(
    config: RateConfig, checkpoint: Checkpoint, data: Dataset, device: str = "cpu"
) -> RateSession:
    """Put a run back to where its checkpoint was written."""
    session = begin(config, data, device)
    _load_buffers(session.rated.model, checkpoint.state)
    session.load(checkpoint)
    return session


def _restore_spread(model: nn.Module, full: Mapping[str, tuple[int, ...]]) -> None:
    """Scale weights up that are fed fewer columns, as if they were drawn for so many."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in full and parameter.dim() > 1:
                parameter.mul_((full[name][1] / parameter.shape[1]) ** 0.5)


def _load_buffers(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            whole = state[name]
            buffer.copy_(whole[tuple(slice(0, count) for count in buffer.shape)])
