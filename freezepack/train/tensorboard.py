"""Scalars for TensorBoard, one set per epoch, in the folder of the run."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from freezepack.errors import MissingExtraError
from freezepack.train.loop import Callback, Epoch

USER = "freezepack train --tensorboard"


def check_tensorboard() -> None:
    """Raise MissingExtraError if the package tensorboard is not installed."""
    if find_spec("tensorboard") is None:
        raise MissingExtraError("tensorboard", "tensorboard", USER)


class TensorBoard(Callback):
    """Write loss, validation accuracy, learning rate and images per second after each epoch.

    Parameters
    ----------
    folder : path
        Where the event files go; made when training starts. A resumed run adds a file, in which
        it hides what an earlier attempt wrote for the same epochs.

    Raises
    ------
    MissingExtraError
        If the package tensorboard is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        check_tensorboard()
        self._folder = Path(folder)
        self._writer: Any = None

    def on_start(self, epochs: int, steps: int, first: int) -> None:
        """Open an event file."""
        writers: Any = import_module("torch.utils.tensorboard")
        self._writer = writers.SummaryWriter(str(self._folder), purge_step=first)

    def on_epoch(self, epoch: Epoch) -> None:
        """Write the scalars of an epoch, at its number."""
        speed = epoch.examples / epoch.seconds if epoch.seconds else 0.0
        scalars = {
            "loss/train": epoch.loss,
            "accuracy/validation": epoch.validation_accuracy,
            "learning_rate": epoch.lr,
            "images_per_second": speed,
        }
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, epoch.number)
        self._writer.flush()

    def on_end(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()
