"""The dense teacher of a run: trained first, by the same loop, or read from a checkpoint."""

from pathlib import Path

import torch
from torch import nn

from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.nn.record import FreezeRecord
from freezepack.nn.state import dense_state
from freezepack.rate.config import RateConfig
from freezepack.rate.copies import Copies
from freezepack.rate.distill import Lesson
from freezepack.rate.folder import TEACHER
from freezepack.rate.loop import Plan, fit
from freezepack.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from freezepack.train.data.dataset import Dataset

_LR = 2e-3
_BATCH = 200


def find_teacher(
    config: RateConfig, data: Dataset, copies: Copies, folder: Path
) -> nn.Module | None:
    """Return the teacher in evaluation mode, or None if the configuration has none.

    A dense one is trained unless the folder holds it already, from an earlier start of this run.

    Raises
    ------
    CheckpointError
        If the configuration's path is no checkpoint of ours.
    """
    if config.teacher == "none":
        return None
    device = str(data.split("train").labels.device)
    path = folder / TEACHER if config.teacher == "dense" else Path(config.teacher)
    if config.teacher == "dense" and not path.exists():
        _train(config, data, copies, path, device)
    checkpoint = load_checkpoint(path)
    teacher = build_model(checkpoint.model, checkpoint.model_args)
    teacher.load_state_dict(checkpoint.state)
    return _place(teacher, device).eval()


def _train(config: RateConfig, data: Dataset, copies: Copies, path: Path, device: str) -> None:
    """Train the whole network without a grid and write its checkpoint."""
    model = build_model(config.model, config.model_args)
    fill_module(model, config.seed, "kaiming_normal")
    _place(model, device)
    plan = Plan(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=_LR),
        data=data,
        copies=copies,
        epochs=config.teacher_epochs,
        batch_size=_BATCH,
        lr=_LR,
        seed=config.seed,
        lesson=Lesson(),
        mixed=True,
        channels_last=True,
    )
    fit(plan)
    record = FreezeRecord("seed", config.seed, "0", "none")
    metadata = {"data": config.data, "configuration_hash": config.hash}
    state = dense_state(model)
    save_checkpoint(path, Checkpoint(config.model, config.model_args, record, state, metadata))


def _place(model: nn.Module, device: str) -> nn.Module:
    model.to(device)
    return model.to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]
