"""One run: train it or go on with it, write its packs, read them back, score them."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter

import torch

from freezepack.bench.accuracy.code import code_hash, forget_code
from freezepack.bench.accuracy.experiment import LOSSLESS
from freezepack.bench.accuracy.rows import Row, describe_config
from freezepack.errors import CheckpointError
from freezepack.format.reader import PackReader
from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights
from freezepack.train.checkpoint import load_checkpoint
from freezepack.train.config import RunConfig
from freezepack.train.folder import CHECKPOINT, METRICS, PACK
from freezepack.train.logs import read_metrics
from freezepack.train.result import Result, recorded_result


@dataclass(frozen=True, slots=True)
class Place:
    """Where runs are done, the same for all of them.

    Attributes
    ----------
    facts : mapping
        Columns of a row that are known beforehand: commit, machine, versions.
    packs : Path or None
        Folder for a copy of each pack.
    """

    facts: Row
    data_dir: Path | None = None
    device: str = "cpu"
    packs: Path | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A configuration, and which rows of it are to be made.

    Attributes
    ----------
    wanted : tuple of (values, experiments)
        Forms of the values, each with the names of the experiments that ask for it.
    code : str
        Hash of the code that is to do it.
    folder : Path
        The run's; continued if it is there.
    repack : bool
        The run has ended: write its packs anew, by whatever code there is now.
    """

    config: RunConfig
    wanted: tuple[tuple[str, tuple[str, ...]], ...]
    code: str
    folder: Path
    repack: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """What the command line does of a run: functions that can be sent to another process.

    Attributes
    ----------
    train : callable
        (config, folder, place) -> Result; writes `PACK`, whose accuracy it is.
    round : callable
        (checkpoint, values, path, config, place) -> None; writes a lossy pack as
        `freezepack pack --values VALUES --data DATA` does.
    score : callable
        (pack, config, place) -> accuracy on the test set of the pack, read back.
    """

    train: Callable[[RunConfig, Path, Place], Result]
    round: Callable[[Path, str, Path, RunConfig, Place], None]
    score: Callable[[Path, RunConfig, Place], float]


def do_job(job: Job, place: Place, tools: Tools) -> Iterator[list[Row]]:
    """Train, pack and score; give the rows of each form of the values as soon as they are known.

    Raises
    ------
    CheckpointError
        If the code on the disk is not, or is no longer, that of the job, or if there is no run
        whose packs could be written anew.
    """
    if job.repack:
        result = _repack(job, place, tools)
    else:
        _check_code(job)
        result = tools.train(job.config, job.folder, place)
        _check_code(job)
    for values, experiments in job.wanted:
        began = perf_counter()
        pack, accuracy = job.folder / PACK, result.test_accuracy
        if values != LOSSLESS:
            pack = job.folder / f"model-{values.replace(':', '-')}.fpk"
            tools.round(result.checkpoint, values, pack, job.config, place)
            accuracy = tools.score(pack, job.config, place)
        spent = perf_counter() - began
        row = _make_row(job, place, result, pack)
        row["values"], row["test_accuracy"] = values, repr(round(accuracy, 6))
        trained = max(result.seconds, float(row["train_seconds"]))  # more, if it was interrupted
        row["wall_seconds"] = f"{trained + spent:.2f}"
        if place.packs is not None:
            place.packs.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pack, place.packs / pack_name(job.config, values))
        yield [{**row, "experiment": name} for name in experiments]


def pack_name(config: RunConfig, values: str) -> str:
    """Return the name of the copy of a pack.

    Examples
    --------
    >>> pack_name(RunConfig(data="digits"), "grid:4").rpartition("-")[0].partition("-grid")[0]
    'lenet5-caffe-digits-q0.995-s1-seed'
    """
    head = f"{config.model}-{config.data}-q{config.freezing_rate}-s{config.seed}-{config.fill}"
    return f"{head}-{values.replace(':', '')}-{config.hash}.fpk"


def _repack(job: Job, place: Place, tools: Tools) -> Result:
    """Let the pack of a run that has ended be written again."""
    if not (job.folder / CHECKPOINT).exists() or recorded_result(job.config, job.folder) is None:
        raise CheckpointError(f"{job.folder} holds no run that has ended, so there is no new pack")
    (job.folder / PACK).unlink(missing_ok=True)
    return tools.train(job.config, job.folder, place)


def _check_code(job: Job) -> None:
    forget_code()
    found = code_hash(job.config)
    if found != job.code:
        problem = f"the code has changed since the start: it was {job.code}, is {found}"
        raise CheckpointError(f"{problem}; start again, or from a checkout that nobody edits")


def _make_row(job: Job, place: Place, result: Result, pack: Path) -> Row:
    with PackReader(pack) as reader:
        header = reader.header
    sizes = header.sizes
    parts = {"index_bytes": sizes["index"], "value_bytes": sizes["values"]}
    epochs = [line for line in read_metrics(job.folder / METRICS) if line["event"] == "epoch"]
    numbers = {
        "weights": result.weights,
        "trained_weights": result.trained_weights,
        "trained_other": result.trained_others,
        "file_bytes": header.file_size,
        "rebuilt_bytes": header.nbytes,
        "header_bytes": header.file_size - sum(parts.values()),
        **parts,
        "validation_accuracy": round(result.validation_accuracy, 6),
        "train_seconds": round(sum(float(line["seconds"]) for line in epochs), 2),
        "threads": torch.get_num_threads(),
    }
    return {
        **describe_config(job.config),
        **place.facts,
        **{name: str(value) for name, value in numbers.items()},
        "code": job.code,
        "device": place.device,
        "finished": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "layers": json.dumps(_layers(job.config, result.checkpoint), separators=(",", ":")),
    }


def _layers(config: RunConfig, checkpoint: Path) -> dict[str, list[int]]:
    """Return trained and all weights of each eligible tensor."""
    masks = load_checkpoint(checkpoint).record.masks
    model = build_model(config.model, config.model_args)
    sizes = {name: model.get_parameter(name).numel() for name in eligible_weights(model)}
    return {
        name: [int(masks[name].sum()) if name in masks else size, size]
        for name, size in sizes.items()
    }
