"""The log of a run: one JSON object per line, one line per epoch and one at the end."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from freezepack.train.loop import Callback, Epoch


class MetricsLog(Callback):
    """Write `metrics.jsonl`, a line as soon as it is known.

    Parameters
    ----------
    path : Path
        The file. Lines of epochs before the first one trained now are kept, others removed, so
        that the log of a resumed run reads like that of an uninterrupted one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_start(self, epochs: int, steps: int, first: int) -> None:
        """Keep the lines of the epochs that are not trained again."""
        self.keep_until(first - 1)

    def on_epoch(self, epoch: Epoch) -> None:
        """Append the line of an epoch."""
        values = asdict(epoch)
        self.append({"event": "epoch", "epoch": values.pop("number"), **values})

    def append(self, line: Mapping[str, Any]) -> None:
        """Append a line."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def keep_until(self, epoch: int) -> None:
        """Remove the lines of later epochs, and of the end of the run."""
        kept = [line for line in read_metrics(self.path) if line.get("epoch", epoch + 1) <= epoch]
        self.path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log, without a last one that was cut; none if there is no file."""
    if not path.exists():
        return []
    lines: list[dict[str, Any]] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines


def training_speed(path: Path) -> float:
    """Return the examples per second of all epochs in a log, evaluation and files apart."""
    epochs = [line for line in read_metrics(path) if line["event"] == "epoch"]
    seconds = sum(float(line["seconds"]) for line in epochs)
    return sum(int(line["examples"]) for line in epochs) / seconds if seconds else 0.0
