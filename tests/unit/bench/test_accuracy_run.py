"""From an experiment to rows, on the embedded digits, in this process."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freezepack.bench.accuracy import work
from freezepack.bench.accuracy.experiment import Experiment
from freezepack.bench.accuracy.plan import Only, parse_only
from freezepack.bench.accuracy.pool import Event
from freezepack.bench.accuracy.rows import add_rows, config_of, read_rows
from freezepack.bench.accuracy.run import AccuracyRun, repack, rerun, run_accuracy
from freezepack.bench.accuracy.show import Display
from freezepack.bench.accuracy.work import Place, Tools
from freezepack.cli.bench_tools import TOOLS, score_pack
from freezepack.errors import DataError, FreezepackError
from freezepack.format.reader import PackReader
from freezepack.train import Result
from freezepack.train.config import RunConfig

CONFIGS = tuple(
    RunConfig(model="lenet-300-100", data="digits", freezing_rate="0.99", seed=seed, epochs=1)
    for seed in (1, 2)
)


def run_here(
    jobs: Iterable[Any], do: Callable[[Any], Iterable[Any]], workers: int
) -> Iterator[Event[Any]]:
    """Do what `run_jobs` does, in this process."""
    for job in jobs:
        yield Event("begun", job)
        try:
            for part in do(job):
                yield Event("part", job, part)
        except FreezepackError as error:
            yield Event("failed", job, str(error))
        else:
            yield Event("done", job)


@pytest.fixture
def once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AccuracyRun:
    """Return an experiment of two runs that are not done yet."""
    monkeypatch.setattr("freezepack.bench.accuracy.run.run_jobs", run_here)
    experiment = Experiment("tiny", CONFIGS)
    return AccuracyRun([experiment], tmp_path / "out.csv", tmp_path / "runs", Only())


def show() -> Display:
    return Display(io.StringIO())


def refuse(config: RunConfig, folder: Path, place: Place) -> Result:
    raise DataError(f"seed {config.seed} is not done")


NOTHING = replace(TOOLS, train=refuse)
"""Tools that show what would be trained."""


def test_a_row_says_what_a_run_has_come_to(once: AccuracyRun, tmp_path: Path) -> None:
    run = replace(once, packs=tmp_path / "packs", only=parse_only(["seed=1"]))
    assert run_accuracy(run, TOOLS, show()) == 0
    (row,) = read_rows(run.output)
    folder = tmp_path / f"runs/{CONFIGS[0].hash}-{row['code'][:8]}"
    pack = folder / "model.fpk"
    size = pack.stat().st_size
    parts = [int(row[f"{part}_bytes"]) for part in ("header", "index", "value")]
    assert (row["experiment"], row["values"], config_of(row)) == ("tiny", "lossless", CONFIGS[0])
    assert (int(row["file_bytes"]), sum(parts)) == (size, size)
    assert min(parts) > 0
    assert (row["weights"], row["trained_weights"], row["trained_other"]) == (
        "266200",
        "2662",
        "410",
    )
    assert row["rebuilt_bytes"] == str(4 * 266_610)
    layers = json.loads(row["layers"])
    assert [count for _, count in layers.values()] == [235_200, 30_000, 1000]
    assert sum(trained for trained, _ in layers.values()) == 2662
    accuracy = score_pack(pack, CONFIGS[0], Place({}))
    assert float(row["test_accuracy"]) == pytest.approx(accuracy, abs=1e-6)
    assert 0.3 < accuracy < 1
    assert 0 < float(row["train_seconds"]) <= float(row["wall_seconds"])
    assert (row["threads"], row["device"]) == ("1", "cpu")
    assert row["machine"]
    assert "torch 2." in row["versions"]
    copies = list((tmp_path / "packs").iterdir())
    assert [copy.name for copy in copies] == [
        f"lenet-300-100-digits-q0.99-s1-seed-lossless-{CONFIGS[0].hash}.fpk"
    ]
    assert copies[0].read_bytes() == pack.read_bytes()


def test_what_is_done_is_not_done_again(once: AccuracyRun) -> None:
    assert run_accuracy(replace(once, only=parse_only(["seed=1"])), TOOLS, show()) == 0
    (row,) = read_rows(once.output)
    assert run_accuracy(once, NOTHING, show()) == 1
    assert read_rows(once.output) == [row]
    assert run_accuracy(once, TOOLS, show()) == 0
    assert run_accuracy(once, NOTHING, show()) == 0
    assert [row["seed"] for row in read_rows(once.output)] == ["1", "2"]


def test_a_run_of_other_code_is_done_anew_in_another_folder(once: AccuracyRun) -> None:
    one = replace(once, only=parse_only(["seed=1"]))
    run_accuracy(one, TOOLS, show())
    (row,) = read_rows(one.output)
    add_rows(one.output, [row | {"code": "0" * 16, "test_accuracy": "0"}])
    assert run_accuracy(replace(one, keep_stale=True), NOTHING, show()) == 0
    assert run_accuracy(one, TOOLS, show()) == 0
    (again,) = read_rows(one.output)
    assert (again["code"], again["test_accuracy"]) == (row["code"], row["test_accuracy"])


def test_one_that_fails_is_told_and_the_others_are_done(once: AccuracyRun) -> None:
    def train(config: RunConfig, folder: Path, place: Place) -> Result:
        return (refuse if config.seed == 1 else TOOLS.train)(config, folder, place)

    stream = io.StringIO()
    assert run_accuracy(once, replace(TOOLS, train=train), Display(stream)) == 1
    assert [row["seed"] for row in read_rows(once.output)] == ["2"]
    lines = stream.getvalue().splitlines()
    assert f"1/2 lenet-300-100 digits q=0.99 seed s1 snip, {CONFIGS[0].hash}" in lines[0]
    assert "FAILED: seed 1 is not done" in lines[0]
    assert "2/2 lenet-300-100 digits q=0.99 seed s2 snip" in lines[1]
    assert "lossless " in lines[1]


def test_no_run_begins_when_the_time_is_over(once: AccuracyRun) -> None:
    stream = io.StringIO()
    assert run_accuracy(replace(once, time_limit=0), NOTHING, Display(stream)) == 0
    assert stream.getvalue() == "2 of 2 runs are left: the time is over\n"
    assert not once.output.exists()


def test_a_missing_data_set_is_told_once(once: AccuracyRun, tmp_path: Path) -> None:
    config = RunConfig(data="mnist")
    run = replace(once, experiments=[Experiment("a", (config,))], data_dir=tmp_path)
    with pytest.raises(DataError, match="mnist"):
        run_accuracy(run, NOTHING, show())


def test_code_that_changes_meanwhile_makes_no_row(
    once: AccuracyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = iter(["0" * 16, "1" * 16])
    monkeypatch.setattr("freezepack.bench.accuracy.plan.code_hash", lambda config: "0" * 16)
    monkeypatch.setattr(work, "code_hash", lambda config: next(hashes))
    stream = io.StringIO()
    run = replace(once, only=parse_only(["seed=1"]))
    assert run_accuracy(run, TOOLS, Display(stream)) == 1
    assert f"it was {'0' * 16}, is {'1' * 16}; start again" in stream.getvalue()
    assert not once.output.exists()


def test_rounded_packs_are_scored_by_themselves(once: AccuracyRun, tmp_path: Path) -> None:
    config = CONFIGS[0].changed(freezing_rate="0.9998")
    run = replace(once, experiments=[Experiment("tiny", (config,), ("lossless", "grid:1"))])
    assert run_accuracy(run, TOOLS, show()) == 0
    exact, rounded = read_rows(run.output)
    folder = tmp_path / f"runs/{config.hash}-{exact['code'][:8]}"
    assert (exact["values"], rounded["values"]) == ("lossless", "grid:1")
    assert int(rounded["file_bytes"]) < 0.7 * int(exact["file_bytes"])
    accuracy = score_pack(folder / "model-grid-1.fpk", config, Place({}))
    assert float(rounded["test_accuracy"]) == pytest.approx(accuracy, abs=1e-6)
    with PackReader(folder / "model-grid-1.fpk") as reader:
        assert "accuracy" not in reader.header.metadata
    with PackReader(folder / "model.fpk") as reader:
        exactly = reader.header.metadata["accuracy"]
    assert exactly == f"{float(exact['test_accuracy']):.4f} digits"


def test_packs_are_written_anew_without_training(once: AccuracyRun, tmp_path: Path) -> None:
    one = replace(once, only=parse_only(["seed=1"]))
    run_accuracy(one, TOOLS, show())
    (row,) = read_rows(one.output)
    add_rows(one.output, [row | {"file_bytes": "1", "index_bytes": "1", "machine": "another"}])
    pack = tmp_path / f"runs/{CONFIGS[0].hash}-{row['code'][:8]}/model.fpk"
    before = pack.read_bytes()
    pack.write_bytes(b"an older format")
    assert repack(one, TOOLS, show()) == 0
    assert pack.read_bytes() == before
    assert read_rows(one.output) == [row | {"machine": "another"}]
    (pack.parent / "model.pt").unlink()
    assert repack(one, TOOLS, show()) == 1


def test_a_run_is_repeated_and_agrees(once: AccuracyRun, tmp_path: Path) -> None:
    run_accuracy(replace(once, only=parse_only(["seed=2"])), TOOLS, show())
    (row,) = read_rows(once.output)
    ((old, new),) = rerun(once, CONFIGS[1].hash, tmp_path / "again", TOOLS, show())
    assert old == row
    same = ("test_accuracy", "validation_accuracy", "file_bytes", "layers", "config", "code")
    assert {name: new[name] for name in same} == {name: row[name] for name in same}
    assert (tmp_path / "again/model.fpk").exists()
    assert read_rows(once.output) == [row]
    assert rerun(once, CONFIGS[1].hash, tmp_path / "no", NOTHING, show()) == []


def test_tools_can_be_sent_to_other_processes() -> None:
    import pickle

    assert pickle.loads(pickle.dumps(TOOLS)) == TOOLS
    assert isinstance(TOOLS, Tools)
