"""Runs on a data set of 40 training images."""

import pytest

from freezepack.train.data.dataset import Dataset
from tests.unit.train.helpers import small_data


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Let `run` load the small data set, whatever it is asked for."""
    data = small_data()
    monkeypatch.setattr("freezepack.train.runner.load_data", lambda *args, **options: data)
    return data
