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
from freezepack.train.folder import (
    CHECKPOINT,
    EVENTS,
    METRICS,
    choose_folder,
    find_checkpoint,
    settle,
    write_config,
)
from freezepack.train.freezing import check_frozen
from freezepack.train.logs import MetricsLog, training_speed
from freezepack.train.loop import Callback, fit
from freezepack.train.ranks import Ranks, join_ranks
from freezepack.train.result import Result, figures, recorded_result, summarise
from freezepack.train.session import Saver, Session, begin, restore
from freezepack.train.tensorboard import TensorBoard, check_tensorboard


@dataclass(frozen=True, slots=True)
class Finished:
    """A run whose model is trained and saved, and has not seen the test set.

    `out` is the folder where its files are now: `.replacement` if it replaces another run.
    """

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
    tensorboard: bool = False,
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
        number of threads, the result is bit for bit that of an uninterrupted run. For a run that
        has ended, nothing is done: the result that its log has is returned.
    force : bool
        Replace the files of an earlier run, when the new one is complete: until then it is kept
        in `out/.replacement`, and an interrupt leaves the earlier one as it was. `resume` goes on
        with a replacement that was interrupted; delete that folder to give it up.
    progress : bool, optional
        Show a bar on stderr. Default: only if stderr is a terminal.
    device : str
        Where to train, as torch names it.
    tensorboard : bool
        Write scalars for TensorBoard into `tensorboard` in `out`.
    callbacks : sequence of Callback
        Told of every step and epoch.
    on_finish : callable, optional
        Called when `model.pt` is complete. If it returns a module, that one is evaluated on the
        test set in place of the trained one: a pack, read back. Files that it writes into the
        `out` of `Finished` end up in `out`.

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
    MissingExtraError
        If `tensorboard` is asked for and not installed; before anything is written.
    """
    if tensorboard:
        check_tensorboard()
    began, place, ranks = perf_counter(), Path(out), join_ranks(device)
    folder = ranks.from_first(lambda: choose_folder(place, resume=resume, force=force))
    found = find_checkpoint(folder, config, resume=resume)
    recorded = recorded_result(config, folder) if found and not found.training else None
    if recorded is not None:
        return recorded
    data, log = load_data(config.data, data_dir, device=device), MetricsLog(folder / METRICS)
    watchers = [*_bar(config, progress), *callbacks] if ranks.is_first else []
    if tensorboard and ranks.is_first:
        watchers.append(TensorBoard(folder / EVENTS))
    cards = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        torch.manual_seed(config.seed % 2**63)  # for dropout; all else is drawn by our generator
        session = restore(config, found, device) if found else begin(config, data, device, ranks)
        if found is None:
            ranks.from_first(lambda: write_config(folder, config))
        _train(session, data, log, watchers, ranks)

        def end() -> Result:
            accuracy = _evaluate_once(session, folder, data, on_finish)
            speed = training_speed(folder / METRICS)
            result = summarise(session, place, accuracy, perf_counter() - began, speed)
            log.keep_until(session.epoch)
            log.append({"event": "end", **figures(result)})
            settle(place)
            return result

        return ranks.from_first(end)


def _train(
    session: Session, data: Dataset, log: MetricsLog, watchers: Sequence[Callback], ranks: Ranks
) -> None:
    """Train what is left, log and checkpoint each epoch, and check the frozen weights."""
    model, config, first = session.model, session.config, session.epoch + 1
    if not session.is_complete:
        # the log first: lines beyond the checkpoint are removed on resuming, missing ones are lost
        saver = Saver(session, log.path.with_name(CHECKPOINT))
        callbacks = [log, saver, *watchers] if ranks.is_first else []
        average = session.average
        fit(
            model,
            session.optimizer,
            data,
            config,
            first=first,
            callbacks=callbacks,
            average=average,
            ranks=ranks,
        )
    check_frozen(model)


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
