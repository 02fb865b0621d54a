"""Several processes select the same masks, send only what is trained, and agree with one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from freezepack.train import RunConfig
from freezepack.train.data.dataset import load_data
from freezepack.train.ranks import Ranks, join_ranks
from freezepack.train.session import begin

ROOT = Path(__file__).parents[2]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
TRAIN = (
    *("-m", "freezepack", "train", "--model", "lenet-300-100", "--data", "digits"),
    *("--freezing-rate", "0.98", "--epochs"),
)


@given(st.integers(1, 40), st.integers(1, 6))
def test_shares_of_a_batch_are_disjoint_and_their_means_add_up(count: int, size: int) -> None:
    where = torch.arange(count)
    shares = [Ranks(rank, size).take(where) for rank in range(size)]
    if count >= size:
        together = torch.cat([mine for mine, _ in shares])
        assert sorted(together.tolist()) == where.tolist()
    numbers = torch.rand(count, dtype=torch.float64)
    mean = sum(float(numbers[mine].mean()) * factor for mine, factor in shares) / size
    assert mean == pytest.approx(float(numbers.mean()))


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    ranks = join_ranks("cpu")
    assert (ranks.rank, ranks.size, ranks.is_first) == (0, 1, True)
    layer = nn.Linear(1, 1)
    assert ranks.wrap(layer) is layer
    assert ranks.from_first(lambda: 3) == 3


@pytest.mark.slow
def test_a_frozen_model_that_is_sharded_by_fsdp2_trains_as_one_that_is_whole() -> None:
    command = [*TORCHRUN, "-m", "tests.dist.sharded"]
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, timeout=300)


@pytest.mark.slow
def test_two_processes_select_alike_and_send_what_is_trained(tmp_path: Path) -> None:
    command = [*TORCHRUN, "-m", "tests.dist.work", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, timeout=300)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    config = RunConfig(model="lenet5-caffe", data="digits", freezing_rate="0.99", score_batch=101)
    data = load_data("digits")
    alone = begin(config, data)
    for name, mask in alone.record.masks.items():
        assert torch.equal(first["masks"][name], second["masks"][name])
        assert torch.equal(first["masks"][name], torch.from_numpy(mask))
    inputs, labels = data.batch(data.split("train"), torch.arange(15))
    nn.functional.cross_entropy(alone.model(inputs), labels).backward()  # type: ignore[no-untyped-call]
    for name, parameter in alone.model.named_parameters():
        assert torch.equal(first["gradients"][name], second["gradients"][name])
        torch.testing.assert_close(first["gradients"][name], parameter.grad)
    trained = 4_305 + 580
    for rank in (0, 1):
        assert json.loads((tmp_path / f"{rank}.json").read_text())["sent"] == 4 * trained


@pytest.mark.slow
def test_each_process_normalises_batches_by_statistics_of_its_own(tmp_path: Path) -> None:
    command = [*TORCHRUN, "-m", "tests.dist.normalised", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, timeout=300)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    apart = {"norm.running_mean", "norm.running_var"}
    for name in first:
        assert torch.equal(first[name], second[name]) is (name not in apart), name
    assert int(first["norm.num_batches_tracked"]) == 2


def train(out: Path, epochs: int, *options: str) -> "subprocess.Popen[bytes]":
    command = [*TORCHRUN, *TRAIN, str(epochs), "--out", str(out), *options]
    return subprocess.Popen(command, cwd=out.parent, env=ENVIRONMENT, stdout=subprocess.PIPE)


def accuracies(out: Path) -> list[float]:
    lines = (out / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["validation_accuracy"] for line in lines]


@pytest.mark.slow
def test_a_run_of_two_processes_is_resumed_after_one_was_killed(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    complete = train(whole, 20)
    complete.communicate(timeout=300)
    assert complete.returncode == 0
    run = train(parts, 20)
    wait_for(parts / "metrics.jsonl", lines=2)
    workers = children(run.pid)
    os.kill(max(workers), signal.SIGKILL)
    run.communicate(timeout=120)
    assert run.returncode != 0
    assert len(accuracies(parts)) < 20
    resumed = train(parts, 20, "--resume")
    output, _ = resumed.communicate(timeout=300)
    assert resumed.returncode == 0
    assert output.count(b"test   ") == 1  # one process reports
    assert accuracies(parts) == accuracies(whole)
    assert (parts / "model.fpk").read_bytes() == (whole / "model.fpk").read_bytes()


def wait_for(path: Path, lines: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if path.exists() and len(path.read_text().splitlines()) >= lines:
            return
        time.sleep(0.02)
    raise TimeoutError(f"{path} has not {lines} lines after two minutes")


def children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found
