"""Runs on a data set of 40 training images."""

from pathlib import Path

import pytest
import torch

from freezepack.train.data.dataset import Dataset
from tests.published import PUBLISHED
from tests.unit.train.helpers import small_data

torch.set_num_threads(1)  # tests share the cores


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Let `run` load the small data set, whatever it is asked for."""
    data = small_data()
    monkeypatch.setattr("freezepack.train.runner.load_data", lambda *args, **options: data)
    return data


@pytest.fixture
def mnist_folder() -> Path:
    """Find the parent of the published MNIST files, or skip."""
    if not (PUBLISHED / "mnist").is_dir():
        pytest.skip("MNIST is not here: set FREEZEPACK_DATA to the parent of mnist/")
    return PUBLISHED
