"""Runs on a data set of 40 training images."""

import pytest
import torch

from freezepack.train.data.dataset import Dataset
from tests.unit.train.helpers import small_data

torch.set_num_threads(1)  # tests share the cores


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Let `run_rate` load the small data set, whatever it is asked for."""
    data = small_data()
    monkeypatch.setattr("freezepack.rate.runner.load_data", lambda *args, **options: data)
    return data
