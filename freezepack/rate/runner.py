"""A run: from a configuration to a pack of a known size whose accuracy is that of the file."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import torch

from freezepack.export.architecture import build_from_metadata
from freezepack.files import write_output
from freezepack.modules import load_into
from freezepack.rate.config import RateConfig
from freezepack.rate.folder import find_checkpoint, write_config
from freezepack.rate.result import RateResult, make_result, recorded_result
from freezepack.rate.session import FIGURES
from freezepack.rate.start import begin, restore
from freezepack.rate.stored import network_of
from freezepack.rate.teacher import find_teacher
from freezepack.rate.training import make_copies, train
from freezepack.train.checkpoint import Checkpoint
from freezepack.train.data.dataset import Dataset, load_data
from freezepack.train.evaluation import evaluate
from freezepack.train.folder import CHECKPOINT, METRICS, PACK, choose_folder, settle
from freezepack.train.logs import MetricsLog
from freezepack.train.loop import Callback


def run_rate(
    config: RateConfig,
    *,
    out: str | Path,
    data_dir: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    progress: bool | None = None,
    device: str = "cpu",
    callbacks: Sequence[Callback] = (),
) -> RateResult:
    """Train a network for its file; write `config.json`, `metrics.jsonl`, `model.pt`, `model.fpk`.

    The test set is touched once, by the written pack.

    Parameters
    ----------
    config : RateConfig
        What to run.
    out : path
        Folder for the files.
    data_dir, progress, device, callbacks
        As for `freezepack.train.run`.
    resume : bool
        Continue from `model.pt` in `out`; on a CPU with the same versions and threads the file is
        that of an uninterrupted run, byte for byte.
    force : bool
        Replace an earlier run once the new one is complete.

    Raises
    ------
    OutputExistsError
        If `out` holds a run and neither `resume` nor `force` is set.
    CheckpointError
        If the run to be resumed has another configuration.
    FreezepackError
        If the loss is not finite, or the target is out of reach.
    """
    began, place = perf_counter(), Path(out)
    folder = choose_folder(place, resume=resume, force=force)
    found = find_checkpoint(folder, config) if resume else None
    recorded = recorded_result(config, folder) if found is not None else None
    if recorded is not None:
        return recorded
    data = load_data(config.data, data_dir, device=device)
    if found is None:
        begin(config, data, device)  # what cannot be begun leaves no folder behind
        write_config(folder, config)
    log = MetricsLog(folder / METRICS)
    watchers = [log, *_bar(config, progress), *callbacks]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed % 2**63)  # for dropout; all else is drawn by our generator
        if found is None or found.training:
            numbers = _train_and_pack(config, found, data, folder, watchers)
        else:
            numbers = json.loads(found.metadata[FIGURES])
    model = build_from_metadata(network_of(config.model, config.model_args))
    load_into(model, folder / PACK)
    model.to(device)
    for split in ("validation", "test"):
        numbers[f"{split}_accuracy"] = evaluate(model, data, split)
    numbers["seconds"] = perf_counter() - began
    log.append({"event": "end", **numbers})
    settle(place)
    return make_result(config, place, numbers)


def _train_and_pack(
    config: RateConfig,
    found: Checkpoint | None,
    data: Dataset,
    folder: Path,
    watchers: Sequence[Callback],
) -> dict[str, float]:
    """Train what is left, write the pack and return what is known of it."""
    device, path = str(data.split("train").labels.device), folder / CHECKPOINT
    copies = make_copies(config, data)
    teacher = find_teacher(config, data, copies, folder)
    session = restore(config, found, data, device) if found else begin(config, data, device)
    trained = train(session, data, copies, teacher=teacher, callbacks=watchers, checkpoint=path)
    write_output(folder / PACK, trained.packed.pieces, force=True)
    numbers = {
        "file_bytes": sum(map(len, trained.packed.pieces)),
        "trained_weights": trained.trained_weights,
        "weights": trained.weights,
        "rate_weight": trained.rate_weight,
        "trimmed": trained.trimmed,
    }
    session.save(path, figures=numbers)
    return numbers


def _bar(config: RateConfig, progress: bool | None) -> list[Callback]:
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return []
    from freezepack.train.progress import ProgressBar

    return [ProgressBar(f"{config.model} {config.data} rate")]
