"""A progress bar on a terminal; nothing anywhere else."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor

from freezepack.train.loop import Callback, Epoch

_EVERY = 20
"""Steps between two updates: reading the loss waits for the device."""


class ProgressBar(Callback):
    """Show epoch, loss, validation accuracy and remaining time on stderr.

    Parameters
    ----------
    label : str
        What is being trained.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._steps = 0
        self._done = 0
        self._accuracy = ""
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def on_start(self, epochs: int, steps: int, first: int) -> None:
        """Draw the bar."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            TextColumn("{task.fields[shown]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._steps, self._done = steps, (first - 1) * steps
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._task = self._progress.add_task(
            self._label, total=epochs * steps, epoch=first, epochs=epochs, shown=""
        )
        self._progress.start()

    def on_step(self, step: int, loss: Tensor) -> None:
        """Move the bar, now and then."""
        self._done += 1
        if self._progress is not None and step % _EVERY == 0:
            self._progress.update(
                self._task,
                completed=self._done,
                epoch=(self._done - 1) // self._steps + 1,
                shown=f"loss {float(loss):.4f}{self._accuracy}",
            )

    def on_epoch(self, epoch: Epoch) -> None:
        """Show the validation accuracy from now on."""
        self._accuracy = f"  validation {100 * epoch.validation_accuracy:.2f} %"
        if self._progress is not None:
            shown = f"loss {epoch.loss:.4f}{self._accuracy}"
            self._progress.update(self._task, completed=self._done, shown=shown)

    def on_end(self) -> None:
        """Leave the bar as it is."""
        if self._progress is not None:
            self._progress.stop()
