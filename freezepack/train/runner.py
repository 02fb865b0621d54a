"""A run: from a configuration to a trained, checked and evaluated checkpoint."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from torch import nn

from freezepack.models.build import build_model
from freezepack.nn.record import FreezeRecord
from freezepack.nn.state import dense_state
from freezepack.train.config import RunConfig
from freezepack.train.data.dataset import Dataset, load_data
from freezepack.train.evaluation import evaluate
from freezepack.train.folder import CHECKPOINT, METRICS, find_checkpoint, write_config
from freezepack.train.freezing import check_frozen
from freezepack.train.logs import MetricsLog
from freezepack.train.loop import Callback, Epoch, fit
from freezepack.train.result import Result, figures, summarise
from freezepack.train.session import Saver, Session, begin, restore


@dataclass(frozen=True, slots=True)
class Finished:
    """A run whose model is trained and saved, and has not seen the test set."""

    config: RunConfig
    out: Path
    checkpoint: Path
    model: nn.Module
    record: FreezeRecord
    validation_accuracy: float


def run(
    config: RunConfig,
    *,
    out: str | Path,
    data_dir: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    progress: bool | None = None,
    device: str = "cpu",
    callbacks: Sequence[Callback] = (),
    on_finish: Callable[[Finished], nn.Module | None] | None = None,
) -> Result:
    """Train a network as configured and write `config.json`, `metrics.jsonl` and `model.pt`.

    The model of the last epoch is kept. The test set is touched once, at the very end.

    Parameters
    ----------
    config : RunConfig
        What to run. torch's number of threads is left as it is; small networks make the best use
        of cores with one thread per run (OMP_NUM_THREADS=1).
    out : path
        Folder for the files; made if it is not there.
    data_dir : path, optional
        See `load_data`.
    resume : bool
        Continue from `model.pt` in `out`, if there is one. On a CPU, with the same versions and
        number of threads, the result is bit for bit that of an uninterrupted run.
    force : bool
        Replace the files of an earlier run.
    progress : bool, optional
        Show a bar on stderr. Default: only if stderr is a terminal.
    device : str
        Where to train, as torch names it.
    callbacks : sequence of Callback
        Told of every step and epoch.
    on_finish : callable, optional
        Called when `model.pt` is complete. If it returns a module, that one is evaluated on the
        test set in place of the trained one: a pack, read back.

    Returns
    -------
    Result

    Raises
    ------
    OutputExistsError
        If `out` holds a run and neither `resume` nor `force` is set.
    CheckpointError
        If the run to be resumed has another configuration; the message names the fields.
    BaseDriftError
        If a frozen weight has moved. Nothing is evaluated then.
    """
    began, folder = perf_counter(), Path(out)
    found = find_checkpoint(folder, config, resume=resume, force=force)
    data = load_data(config.data, data_dir, device=device)
    speed, log = _Speed(), MetricsLog(folder / METRICS)
    cards = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        torch.manual_seed(config.seed % 2**63)  # for dropout; all else is drawn by our generator
        session = restore(config, found, device) if found else begin(config, data, device)
        if found is None:
            write_config(folder, config)
        if not session.is_complete:
            saver = Saver(session, folder / CHECKPOINT)
            watchers = [log, saver, speed, *_bar(config, progress), *callbacks]
            first = session.epoch + 1
            fit(session.model, session.optimizer, data, config, first=first, callbacks=watchers)
        check_frozen(session.model)
        accuracy = _evaluate_once(session, folder, data, on_finish)
        result = summarise(session, folder, accuracy, perf_counter() - began, speed.value)
    log.append({"event": "end", **figures(result)})
    return result


class _Speed(Callback):
    """Examples per second, evaluation and files apart."""

    def __init__(self) -> None:
        self._examples = 0
        self._seconds = 0.0

    def on_epoch(self, epoch: Epoch) -> None:
        self._examples += epoch.examples
        self._seconds += epoch.seconds

    @property
    def value(self) -> float:
        return self._examples / self._seconds if self._seconds else 0.0


def _bar(config: RunConfig, progress: bool | None) -> list[Callback]:
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return []
    from freezepack.train.progress import ProgressBar

    return [ProgressBar(f"{config.model} {config.data} q={config.freezing_rate}")]


def _evaluate_once(
    session: Session,
    folder: Path,
    data: Dataset,
    on_finish: Callable[[Finished], nn.Module | None] | None,
) -> float:
    """Return the test accuracy of what `on_finish` gives, else of the dense weights."""
    config, returned = session.config, None
    if on_finish is not None:
        path, accuracy = folder / CHECKPOINT, session.validation_accuracy
        returned = on_finish(
            Finished(config, folder, path, session.model, session.record, accuracy)
        )
    if returned is None:
        returned = build_model(config.model, config.model_args)
        returned.load_state_dict(dense_state(session.model))
    return evaluate(returned.to(data.split("test").labels.device), data, "test")
