"""A small data set and network for tests of the training loop."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from freezepack.nn.raw import raw_copy
from freezepack.nn.record import record_of
from freezepack.nn.state import named_state
from freezepack.train.config import RunConfig
from freezepack.train.data.dataset import Dataset, Split
from freezepack.types import RawArray


def small_data(count: int = 120) -> Dataset:
    """Three splits of images whose class is where they are bright."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 10
    images = torch.randint(0, 100, (count, 1, 28, 28), generator=generator, dtype=torch.uint8)
    for i, label in enumerate(labels.tolist()):
        images[i, 0, 2 * label : 2 * label + 8] += 150
    part = count // 3
    splits = {
        name: Split(images[i * part : (i + 1) * part], labels[i * part : (i + 1) * part])
        for i, name in enumerate(("train", "validation", "test"))
    }
    return Dataset("digits", splits, torch.full((1, 1, 1), 100.0), torch.full((1, 1, 1), 80.0), 10)


def small_config(**changes: object) -> RunConfig:
    """A run that takes a second."""
    values: dict[str, object] = {
        "model": "lenet-300-100",
        "data": "digits",
        "freezing_rate": "0.99",
        "epochs": 2,
        "batch_size": 16,
        "score_batch": 20,
        "lr": 0.01,
    }
    return RunConfig(**{**values, **changes})  # type: ignore[arg-type]


def frozen_bits(model: nn.Module) -> dict[str, RawArray]:
    """Bits of every frozen weight; for a model without overlay too, if it has a record."""
    record = record_of(model)
    tensors = named_state(model).tensors
    masks = record.masks if record is not None else {}
    return {
        name: raw_copy(tensors[name])[np.flatnonzero(~mask)].copy() for name, mask in masks.items()
    }


def tree(folder: Path) -> set[str]:
    """Names of the files in a folder."""
    return {path.name for path in folder.iterdir()}
