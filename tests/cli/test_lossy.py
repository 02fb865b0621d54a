"""Rounding happens only by name, is said everywhere, and keeps what was measured."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.mark.parametrize("values", ["bf16", "fp16", "grid:4"])
def test_a_lossy_pack_says_so(command: Command, trained: Path, tmp_path: Path, values: str) -> None:
    target = tmp_path / "lossy.fpk"
    done = command("pack", trained / "model.pt", "-o", target, "--values", values)
    assert done.code == 0
    assert "LOSSY" in done.out
    assert "rms error/std" in done.out
    assert target.stat().st_size < 0.6 * (trained / "model.fpk").stat().st_size
    assert "(LOSSY)" in command("inspect", target).out
    assert json.loads(command("inspect", target, "--json").out)["lossy"] is True
    assert command("verify", target).code == 0
    assert command("verify", target, "--against", trained / "model.pt").code == 4


def test_frozen_weights_stay_exact_in_a_lossy_pack(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    target = tmp_path / "lossy.fpk"
    command("pack", trained / "model.pt", "-o", target, "--values", "grid:3")
    err = command("verify", target, "--against", trained / "model.pt").err
    facts = json.loads(command("inspect", trained / "model.fpk", "--json").out)
    count = next(t["trained"] for t in facts["tensors"] if t["name"] == "fc1.weight")
    differing = int(err.split("'fc1.weight': ")[1].split(" of ")[0].replace(",", ""))
    assert 0 < differing <= count


def test_an_automatic_grid_keeps_the_measured_accuracy(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    target, again = tmp_path / "lossy.fpk", tmp_path / "again.fpk"
    arguments = ["--values", "grid:auto", "--data", "digits"]
    done = command("pack", trained / "model.pt", "-o", target, *arguments, "--json")
    assert done.code == 0
    facts = json.loads(done.out)
    assert facts["losses"]["fc1.weight"]["codec"] == "grid"
    before, after = [
        json.loads(command("eval", m, "--data", "digits", "--split", "validation", "--json").out)
        for m in (trained / "model.fpk", target)
    ]
    assert after["accuracy"] >= before["accuracy"] - 0.0005
    measured = facts["measured"]
    assert measured["validation_accuracy_before"] == before["accuracy"]
    assert measured["validation_accuracy"] == after["accuracy"]
    assert 0 < measured["divergence"] <= 0.0015
    # The same bytes again, and the measured accuracy in words.
    done = command("pack", trained / "model.pt", "-o", again, *arguments)
    shown = f"validation accuracy {100 * after['accuracy']:.2f} %"
    assert shown in done.out
    assert again.read_bytes() == target.read_bytes()


@pytest.mark.slow
def test_a_larger_tolerance_gives_a_smaller_file(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    sizes = []
    for tolerance in ("0.0005", "0.02"):
        target = tmp_path / f"{tolerance}.fpk"
        arguments = ["--values", "grid:auto", "--data", "digits", "--tolerance", tolerance]
        assert command("pack", trained / "model.pt", "-o", target, *arguments).code == 0
        sizes.append(target.stat().st_size)
    assert sizes[1] < sizes[0]


def test_without_data_the_error_is_held(command: Command, trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "lossy.fpk"
    arguments = ["--values", "grid:auto", "--tolerance", "0.01", "--json"]
    done = command("pack", trained / "model.pt", "-o", target, *arguments)
    losses = json.loads(done.out)["losses"]
    assert losses
    assert all(loss["rms_error"] <= 0.01 for loss in losses.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--values", "grid"], "Did you mean 'grid:auto'?"),
        (["--values", "grid:many"], "no lossy value coding named 'grid:many'"),
        (["--values", "auto", "--data", "digits"], "--data and --tolerance are for"),
        (["--values", "zip"], "no value codec named 'zip'"),
    ],
)
def test_wrong_choices_are_usage_errors(
    command: Command, trained: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = command("pack", trained / "model.pt", "-o", tmp_path / "x.fpk", *arguments)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "x.fpk").exists()


def test_a_rounded_model_does_not_keep_the_accuracy_of_the_exact_one(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    for values, kept in (("auto", True), ("grid:1", False)):
        target = tmp_path / f"{kept}.fpk"
        command("pack", trained / "model.fpk", "-o", target, "--values", values)
        facts = json.loads(command("inspect", target, "--json").out)
        assert ("accuracy" in facts["metadata"]) is kept
