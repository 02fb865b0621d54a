"""The folder of a run: what it holds, whether it may be replaced or continued."""

import json
import platform
from pathlib import Path

import numpy as np
import torch

from freezepack.errors import CheckpointError, OutputExistsError
from freezepack.files import write_output
from freezepack.train.checkpoint import Checkpoint, load_checkpoint
from freezepack.train.config import RunConfig, config_from_json

CONFIG, METRICS, CHECKPOINT = "config.json", "metrics.jsonl", "model.pt"


def find_checkpoint(
    folder: Path, config: RunConfig, *, resume: bool, force: bool
) -> Checkpoint | None:
    """Return the checkpoint to go on from, or None to begin anew.

    Raises
    ------
    OutputExistsError
        If the folder holds a run and neither `resume` nor `force` is set.
    CheckpointError
        If the run to be resumed has another configuration, or its files cannot be read.
    """
    present = [name for name in (CONFIG, METRICS, CHECKPOINT) if (folder / name).exists()]
    if present and not resume and not force:
        remedy = "--resume continues it, --force replaces it"
        raise OutputExistsError(f"{folder} holds a run ({', '.join(present)}): {remedy}")
    if not resume or CHECKPOINT not in present:
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
    return load_checkpoint(folder / CHECKPOINT)


def write_config(folder: Path, config: RunConfig) -> None:
    """Write the configuration and the versions, and remove the model of an earlier run."""
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
