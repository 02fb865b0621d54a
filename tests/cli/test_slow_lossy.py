"""A published network on real data: the automatic grid keeps the accuracy in 2,900 bytes."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.published import PUBLISHED

PACKS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "packs"


@pytest.mark.slow
@pytest.mark.skipif(
    not (PUBLISHED / "mnist").is_dir(),
    reason="MNIST is not here: set FREEZEPACK_DATA to the parent of mnist/",
)
def test_a_lenet_on_mnist_keeps_its_accuracy_in_a_file_of_three_kilobytes(
    command: Command, tmp_path: Path
) -> None:
    exact = PACKS / "lenet5-caffe-mnist-q0.995-s1.fpk"
    data = ["--data", "mnist", "--data-dir", PUBLISHED]
    target = tmp_path / "lossy.fpk"
    done = command("pack", exact, "-o", target, "--values", "grid:auto", *data, "--json")
    assert done.code == 0
    assert json.loads(done.out)["bytes"] == target.stat().st_size <= 2900
    right = [
        json.loads(command("eval", m, *data, "--split", "validation", "--json").out)["accuracy"]
        for m in (exact, target)
    ]
    assert right[1] >= right[0] - 0.0005
