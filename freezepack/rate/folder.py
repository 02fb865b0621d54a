"""The files of a run: its configuration, and the checkpoint to go on from."""

import json
import platform
import shutil
from pathlib import Path

import numpy as np
import torch

from freezepack.errors import CheckpointError
from freezepack.files import write_output
from freezepack.rate.config import RateConfig, rate_config_from_json
from freezepack.train.checkpoint import Checkpoint, load_checkpoint
from freezepack.train.folder import CHECKPOINT, CONFIG, REPLACEMENT

TEACHER = "teacher.pt"
_KEY = "rate_config"


def find_checkpoint(folder: Path, config: RateConfig) -> Checkpoint | None:
    """Return the checkpoint to go on from, or None to begin anew.

    Raises
    ------
    CheckpointError
        If the run has another configuration, or its files cannot be read.
    """
    if not (folder / CONFIG).exists():
        return None
    try:
        before = json.loads((folder / CONFIG).read_text(encoding="utf-8"))[_KEY]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be read: {error!r}") from error
    earlier = json.loads(rate_config_from_json(json.dumps(before)).to_json())
    now = json.loads(config.to_json())
    changes = [f"{k} was {earlier[k]!r}, is {now[k]!r}" for k in now if earlier[k] != now[k]]
    if changes:
        raise CheckpointError(f"{folder} is another run, cannot resume: {'; '.join(changes)}")
    path = folder / CHECKPOINT
    return load_checkpoint(path) if path.exists() else None


def write_config(folder: Path, config: RateConfig) -> None:
    """Write the configuration and the versions, and remove what an earlier attempt has left."""
    if folder.name == REPLACEMENT and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (CHECKPOINT, TEACHER):
        (folder / name).unlink(missing_ok=True)
    environment = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
    }
    content = {_KEY: json.loads(config.to_json()), "hash": config.hash}
    text = json.dumps({**content, "environment": environment}, indent=2) + "\n"
    write_output(folder / CONFIG, [text.encode()], force=True)
