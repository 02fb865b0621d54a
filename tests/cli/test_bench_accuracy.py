"""`freezepack bench accuracy` as it is called."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from freezepack.bench.accuracy.rows import Row, read_rows
from tests.cli.conftest import Command

TINY = """
model = "lenet-300-100"
data = "digits"
freezing_rate = "0.99"
epochs = 1
seed = [1, 2]
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_a_list_shows_what_is_to_do(tiny: Path, command: Command) -> None:
    out = command("bench", "accuracy", tiny, "-o", tiny.parent / "a.csv", "--list", "--jobs", 2)
    lines = out.out.splitlines()
    assert out.code == 0
    assert lines[0].startswith("lenet-300-100 digits q=0.99 seed s1 snip, ")
    assert lines[0].endswith(": lossless, unknown time")
    assert lines[3:] == [
        "experiment  finished  stale  missing",
        "tiny               0      0        2",
        "",
        "2 runs to do, about 0 s with 2 at a time, and 2 of unknown time",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ([], 2, "name EXPERIMENTS, as in benchmarks/accuracy/lenet5-mnist.toml"),
        (["gone.toml"], 2, "'gone.toml' does not exist"),
        (["TINY", "--only", "seed"], 2, "'seed' is not of the form FIELD=VALUE"),
        (["TINY", "--only", "sed=1"], 2, "no field named 'sed'. Did you mean 'seed'?"),
        (["TINY", "--device", "abacus"], 2, "no device named 'abacus'"),
        (["TINY", "TINY"], 2, "two EXPERIMENTS have the same name: tiny"),
        (["--config", "abc"], 2, "no row of configuration named 'abc'"),
        (["--jobs", "0"], 2, "0 is not in the range x>=1"),
    ],
)
def test_misuse_is_told(
    tiny: Path, command: Command, arguments: list[str], code: int, problem: str
) -> None:
    given = [str(tiny) if argument == "TINY" else argument for argument in arguments]
    found = command("bench", "accuracy", *given, "-o", tiny.parent / "a.csv")
    assert (found.code, found.out) == (code, "")
    assert problem in found.err


def test_a_wrong_file_is_told_before_anything_is_done(tiny: Path, command: Command) -> None:
    tiny.write_text(TINY + "epoch = 2")
    found = command("bench", "accuracy", tiny, "-o", tiny.parent / "a.csv")
    assert found.code == 2
    assert f"no field of {tiny} named 'epoch'. Did you mean 'epochs'?" in found.err
    tiny.write_text(TINY.replace('"0.99"', '"all"'))
    found = command("bench", "accuracy", tiny, "-o", tiny.parent / "a.csv")
    assert found.code == 3
    assert f"{tiny}: freezing rate is 'all', expected a decimal number" in found.err


def test_runs_are_done_in_other_processes_and_can_be_repeated(tiny: Path, command: Command) -> None:
    table = tiny.parent / "a.csv"
    place = ["-o", table, "--runs", tiny.parent / "runs"]
    found = command("bench", "accuracy", tiny, *place, "--jobs", 1, "--only", "seed=2")
    (row,) = read_rows(table)
    assert (found.code, found.out, row["seed"]) == (0, "", "2")
    assert found.err.startswith("1/1 lenet-300-100 digits q=0.99 seed s2 snip, ")
    again = command("bench", "accuracy", "--config", row["config"], *place)
    lines = [line.split() for line in again.out.splitlines()]
    assert lines[1][:2] == ["lossless", "table"]
    assert lines[2][:2] == ["lossless", "now"]
    assert lines[1][2:6] == lines[2][2:6]
    assert Path(lines[4][0], "model.fpk").exists()
    assert read_rows(table) == [row]
    copy = tiny.parent / "b.csv"
    assert command("bench", "accuracy", "--merge", table, "-o", copy).code == 0
    assert read_rows(copy) == [row]


LONG = TINY.replace("epochs = 1", "epochs = 20").replace("[1, 2]", "1")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Row:
    """Return the row of a run that nobody interrupts."""
    path = tmp_path_factory.mktemp("whole") / "tiny.toml"
    path.write_text(LONG)
    assert call(path).wait() == 0
    (row,) = read_rows(path.parent / "a.csv")
    return row


@pytest.mark.slow
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_and_comes_to_the_same(
    tiny: Path, way: signal.Signals, whole: Row
) -> None:
    tiny.write_text(LONG)
    interrupt(tiny, way)
    before = epochs(tiny)
    assert 3 <= before < 20
    assert not (tiny.parent / "a.csv").exists()
    sleep(1)
    assert epochs(tiny) <= before + 1  # nobody trains on
    assert call(tiny).wait() == 0
    assert epochs(tiny) == 20
    (row,) = read_rows(tiny.parent / "a.csv")
    same = ("test_accuracy", "validation_accuracy", "file_bytes", "layers", "code")
    assert {name: row[name] for name in same} == {name: whole[name] for name in same}


def interrupt(tiny: Path, way: signal.Signals) -> None:
    """Begin, and stop after a few epochs."""
    process = call(tiny)
    until = monotonic() + 100
    while epochs(tiny) < 3 and monotonic() < until:
        sleep(0.02)
    process.send_signal(way)
    assert process.wait() != 0


def epochs(tiny: Path) -> int:
    """Return how many epochs the log of the run has."""
    logs = list((tiny.parent / "runs").glob("*/metrics.jsonl"))
    text = logs[0].read_text() if logs else ""
    found = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    return sum(line["event"] == "epoch" for line in found)


def call(tiny: Path) -> subprocess.Popen[bytes]:
    """Start the experiment in a process of its own."""
    place = ["-o", str(tiny.parent / "a.csv"), "--runs", str(tiny.parent / "runs")]
    return subprocess.Popen(
        [sys.executable, "-m", "freezepack", "bench", "accuracy", str(tiny), *place],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
