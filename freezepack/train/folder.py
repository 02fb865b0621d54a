"""The folder of a run: what it holds, whether it may be replaced or continued."""

import json
import platform
import shutil
from pathlib import Path

import numpy as np
import torch

from freezepack.errors import CheckpointError, OutputExistsError
from freezepack.files import write_output
from freezepack.train.checkpoint import Checkpoint, load_checkpoint
from freezepack.train.config import RunConfig, config_from_json
from freezepack.train.logs import read_metrics

CONFIG, METRICS, CHECKPOINT = "config.json", "metrics.jsonl", "model.pt"
EVENTS = "tensorboard"
PACK = "model.fpk"
"""Written by the command line; a run knows it as one of its files, and does not write it."""
REPLACEMENT = ".replacement"
"""Folder inside the folder of a run, where the run that replaces it is kept until it is done."""


def choose_folder(out: Path, *, resume: bool, force: bool) -> Path:
    """Return where a run is to write its files: in `out`, or aside if it replaces another.

    A run that replaces another goes into a folder of its own, so that an interrupt leaves the
    files that were there; resuming finds it. `settle` moves it in place.

    Raises
    ------
    OutputExistsError
        If the folder holds a run and neither `resume` nor `force` is set.
    """
    settle(out)
    present, aside = _present(out), out / REPLACEMENT
    if resume:
        return aside if _present(aside) else out
    if present and not force:
        remedy = "--resume continues it, --force replaces it"
        raise OutputExistsError(f"{out} holds a run ({', '.join(present)}): {remedy}")
    return aside if present else out


def settle(out: Path) -> None:
    """Let a replacement that is complete take its place; continue if that was cut short.

    The log goes last: while it is there, and says that the run has ended, files may be left.
    """
    aside = out / REPLACEMENT
    if not any(line["event"] == "end" for line in read_metrics(aside / METRICS)):
        return
    if (aside / CONFIG).exists():  # the first to go, so nothing has been moved before
        if not (aside / PACK).exists():
            (out / PACK).unlink(missing_ok=True)
        if (out / EVENTS).exists() and not (aside / EVENTS).exists():
            shutil.rmtree(out / EVENTS)
        (aside / CONFIG).replace(out / CONFIG)
    for path in sorted(aside.iterdir(), key=lambda path: path.name == METRICS):
        _move(path, out / path.name)
    aside.rmdir()


def _move(path: Path, target: Path) -> None:
    """Move a file or a folder to where an older one may be, which a folder cannot replace."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    elif path.is_dir():
        target.unlink(missing_ok=True)
    path.replace(target)


def find_checkpoint(folder: Path, config: RunConfig, *, resume: bool) -> Checkpoint | None:
    """Return the checkpoint to go on from, or None to begin anew.

    Raises
    ------
    CheckpointError
        If the run to be resumed has another configuration, or its files cannot be read.
    """
    present = _present(folder)
    if not resume or not {CONFIG, CHECKPOINT} & set(present):
        return None
    if CONFIG not in present:
        raise CheckpointError(f"{folder / CONFIG} is missing, so the run cannot be resumed")
    try:
        before = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["config"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be read: {error!r}") from error
    earlier = json.loads(config_from_json(json.dumps(before)).to_json())
    now = json.loads(config.to_json())
    changes = [f"{k} was {earlier[k]!r}, is {now[k]!r}" for k in now if earlier[k] != now[k]]
    if changes:
        raise CheckpointError(f"{folder} is another run, cannot resume: {'; '.join(changes)}")
    return load_checkpoint(folder / CHECKPOINT) if CHECKPOINT in present else None


def write_config(folder: Path, config: RunConfig) -> None:
    """Write the configuration and the versions, and remove what an earlier attempt has left."""
    if folder.name == REPLACEMENT and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    environment = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
    }
    content = {"config": json.loads(config.to_json()), "hash": config.hash}
    text = json.dumps({**content, "environment": environment}, indent=2) + "\n"
    write_output(folder / CONFIG, [text.encode()], force=True)


def _present(folder: Path) -> list[str]:
    return [name for name in (CONFIG, METRICS, CHECKPOINT, PACK) if (folder / name).exists()]
