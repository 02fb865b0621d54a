"""The main job on real data, short: MNIST in, a pack out, the same accuracy from the file."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.published import PUBLISHED


@pytest.mark.slow
@pytest.mark.skipif(
    not (PUBLISHED / "mnist").is_dir(),
    reason="MNIST is not here: set FREEZEPACK_DATA to the parent of mnist/",
)
def test_a_lenet_on_mnist_keeps_its_accuracy_in_a_file_of_ten_kilobytes(
    command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    data = ["--data", "mnist", "--data-dir", PUBLISHED]
    done = command("train", *data, "--epochs", "2", "--threads", "1", "--out", run, "--json")
    assert done.code == 0
    facts = json.loads(done.out)
    assert (facts["trained_weights"], facts["trained_others"]) == (2152, 580)
    assert facts["test_accuracy"] > 0.95
    assert facts["pack_bytes"] < 10_500
    inspected = json.loads(command("inspect", run / "model.fpk", "--json").out)
    assert inspected["bytes"] - inspected["parts"]["index"] - inspected["parts"]["values"] <= 300
    assert command("verify", run / "model.fpk", "--against", run / "model.pt").code == 0
    evaluated = json.loads(command("eval", run / "model.fpk", *data, "--json").out)
    assert evaluated["accuracy"] == facts["test_accuracy"]
