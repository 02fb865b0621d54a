"""Training with the rate in the loss: networks whose values are integers of a small file.

    module        what it does
    optimizer     Adam on latent integers, with the price of the file in its gradient
    prices        what each weight costs, from the statistics of all others
    settling      holds weights that flip between two integers
    target        from a size to a rate weight, while training
    trim          the last bytes
    rated         a network and the file it would be
    live          training the first rows of each layer alone
    copies        augmented images, and what a teacher says of them
    training      all of it, for any network
    runner        the same from a configuration, in a folder that can be resumed

Each name is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freezepack.rate.config import RateConfig
    from freezepack.rate.live import narrow, unnarrow, widen
    from freezepack.rate.optimizer import RateOptimizer
    from freezepack.rate.options import GridOptions
    from freezepack.rate.rated import Rated
    from freezepack.rate.result import RateEpoch, RateResult
    from freezepack.rate.runner import run_rate
    from freezepack.rate.target import TargetControl
    from freezepack.rate.training import Trained, train_for_rate
    from freezepack.rate.trim import trim

_HOMES = {
    "GridOptions": "options",
    "RateConfig": "config",
    "RateEpoch": "result",
    "RateOptimizer": "optimizer",
    "RateResult": "result",
    "Rated": "rated",
    "TargetControl": "target",
    "Trained": "training",
    "narrow": "live",
    "run_rate": "runner",
    "train_for_rate": "training",
    "trim": "trim",
    "unnarrow": "live",
    "widen": "live",
}
__all__ = [
    "GridOptions",
    "RateConfig",
    "RateEpoch",
    "RateOptimizer",
    "RateResult",
    "Rated",
    "TargetControl",
    "Trained",
    "narrow",
    "run_rate",
    "train_for_rate",
    "trim",
    "unnarrow",
    "widen",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
