"""Training from a configuration to a checkpoint; each name is imported on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freezepack.train.checkpoint import Checkpoint, load_checkpoint
    from freezepack.train.config import RunConfig
    from freezepack.train.data.dataset import Dataset, load_data
    from freezepack.train.evaluation import evaluate
    from freezepack.train.freezing import freeze
    from freezepack.train.result import Result
    from freezepack.train.runner import Finished, run

__all__ = [
    "Checkpoint",
    "Dataset",
    "Finished",
    "Result",
    "RunConfig",
    "evaluate",
    "freeze",
    "load_checkpoint",
    "load_data",
    "run",
]

_HOMES = {
    "Checkpoint": "checkpoint",
    "Dataset": "data.dataset",
    "Finished": "runner",
    "Result": "result",
    "RunConfig": "config",
    "evaluate": "evaluation",
    "freeze": "freezing",
    "load_checkpoint": "checkpoint",
    "load_data": "data.dataset",
    "run": "runner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
