"""`freezepack train --objective rate`, from the options to the accuracy of the file."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

RATE = ("train", "--objective", "rate", "--data", "digits", "--model", "lenet-300-100")
SMALL = (*RATE, "--rows", "fc1=12", "--rows", "fc2=10", "--rate-arg", "exchanges=9")


def test_a_file_of_a_size_is_trained_and_evaluates_as_said(
    command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = command(*SMALL, "--epochs", "3", "--target-bytes", "700", "--out", out, "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["file_bytes"] == (out / "model.fpk").stat().st_size <= 700
    assert found["config"]["rows"] == {"fc1": 12, "fc2": 10}
    assert found["config"]["exchanges"] == 9
    judged = command("eval", out / "model.fpk", "--data", "digits", "--json")
    assert json.loads(judged.out)["accuracy"] == found["test_accuracy"]
    epochs = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert {"estimated_bytes", "file_bytes", "rate_weight"} <= set(epochs[0])


def test_the_result_is_told_to_a_person(command: Command, tmp_path: Path) -> None:
    options = ("--epochs", "1", "--rate-weight", "1e-3", "--out", tmp_path / "run")
    done = command(*SMALL, *options)
    assert done.code == 0
    first, second, *_ = done.out.splitlines()
    assert first.startswith("kept        ")
    assert first.endswith(" of 266,200 weights are not 0")
    assert second.startswith("validation  ")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("train", "--rate-weight", "1"), "--rate-weight needs --objective rate"),
        (("train", "--rows", "fc1=3"), "--rows needs --objective rate"),
        ((*RATE, "--score", "snip"), "--score has no meaning with --objective rate"),
        ((*RATE, "--freezing-rate", "0.9"), "--freezing-rate has no meaning"),
        ((*RATE, "--rows", "fc1=few"), "--rows fc1=few: expected LAYER=COUNT"),
        ((*RATE, "--rate-arg", "mosst=1"), "no --rate-arg named 'mosst'. Did you mean 'most'?"),
        ((*RATE, "--rate-arg", "copies=many"), "copies is 'many', expected a whole number"),
        ((*RATE, "--rate-arg", "seed=2"), "no --rate-arg named 'seed'"),
        ((*RATE, "--target-bytes", "0"), "target_bytes is 0, expected more than 0"),
        ((*RATE, "--objective", "size"), "'size' is not one of 'accuracy', 'rate'"),
    ],
)
def test_misuse_is_reported(
    command: Command, tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    done = command(*options, "--out", tmp_path / "run")
    assert done.code == 2
    assert problem in done.err
    assert not (tmp_path / "run").exists()


def test_a_layer_that_is_not_there_is_an_error(command: Command, tmp_path: Path) -> None:
    done = command(*RATE, "--rows", "fc9=3", "--out", tmp_path / "run")
    assert done.code == 1
    assert "'fc9' is no layer with rows. Known: fc1, fc2, fc3" in done.err
    assert not (tmp_path / "run").exists()
