"""The table keeps every row, whatever happens while one is added."""

import subprocess
import sys
import threading
from pathlib import Path
from time import sleep

import pytest

from freezepack.bench.accuracy.rows import (
    COLUMNS,
    Row,
    add_rows,
    config_of,
    describe_config,
    merge_rows,
    read_rows,
)
from freezepack.errors import InputError
from freezepack.train.config import RunConfig


def make_row(**changes: str) -> Row:
    row = dict.fromkeys(COLUMNS, "") | describe_config(RunConfig(data="digits"))
    return row | {"experiment": "a", "values": "lossless"} | changes


def test_columns_are_those_that_the_report_reads() -> None:
    assert ",".join(COLUMNS) == (
        "experiment,values,config,code,commit,model,data,method,score,strategy,fill,scheme,"
        "freezing_rate,seed,options,epochs,weights,trained_weights,trained_other,file_bytes,"
        "rebuilt_bytes,header_bytes,index_bytes,value_bytes,validation_accuracy,test_accuracy,"
        "train_seconds,wall_seconds,threads,device,machine,versions,finished,layers"
    )


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (RunConfig(data="digits", fill="zeros", freezing_rate="0", epochs=3), "{}"),
        (RunConfig(data="digits", lr=0.5, ema=0.25), '{"ema":0.25,"lr":0.5}'),
        (
            RunConfig(strategy="force", strategy_args={"steps": 7}, model_args={"relu": "fc"}),
            '{"model_args":{"relu":"fc"},"strategy_args":{"steps":7}}',
        ),
        (
            RunConfig(optimizer="sgd", milestones=(0.3,)),
            '{"lr":0.1,"milestones":[0.3],"optimizer":"sgd"}',
        ),
        (
            RunConfig(method="edge-popup", freezing_rate="0.5", method_args={"lock": 0.25}),
            '{"method_args":{"lock":0.25}}',
        ),
    ],
)
def test_a_row_says_what_was_run(config: RunConfig, options: str) -> None:
    row = describe_config(config)
    assert row["options"] == options
    assert row["config"] == config.hash
    assert config_of(row) == config


def test_a_row_whose_defaults_have_changed_is_not_taken_for_another_run() -> None:
    row = describe_config(RunConfig(data="digits")) | {"config": "0123456789abcdef"}
    with pytest.raises(InputError, match="row 0123456789abcdef is of a configuration that is"):
        config_of(row)


def test_rows_come_back_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "results/table.csv"
    first = make_row(layers='{"a": [1, 2]}', machine='AMD "x", 2')
    second = make_row(values="grid:3")
    add_rows(path, [first])
    add_rows(path, [second])
    assert read_rows(path) == [first, second]
    assert path.read_text().count("\n") == 3


def test_a_row_about_the_same_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [make_row(code="old"), make_row(values="grid:3"), make_row(code="new")]
    add_rows(path, rows[:2])
    add_rows(path, rows[2:])
    assert read_rows(path) == rows[1:]


def test_of_another_table_later_rows_count_and_equal_ones_do_not(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    early, late = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
    add_rows(path, [make_row(finished=early, file_bytes="1"), make_row(values="b", finished=early)])
    other = [
        make_row(finished=early, file_bytes="2"),
        make_row(values="b", finished=late),
        make_row(values="c"),
    ]
    merge_rows(path, other)
    found = {row["values"]: (row["finished"], row["file_bytes"]) for row in read_rows(path)}
    assert found == {"lossless": (early, "1"), "b": (late, ""), "c": ("", "")}


def test_several_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"

    def write(name: str) -> None:
        for number in range(10):
            add_rows(path, [make_row(experiment=f"{name}{number}")])

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = sorted(row["experiment"] for row in read_rows(path))
    assert names == sorted(f"{name}{number}" for name in "abc" for number in range(10))


def test_a_table_of_other_columns_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("experiment,speed\na,5\n")
    with pytest.raises(InputError, match=r"unknown \['speed'\], missing \['code',"):
        add_rows(path, [make_row()])
    assert path.read_text() == "experiment,speed\na,5\n"


def test_a_short_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    add_rows(path, [make_row()])
    path.write_text(path.read_text() + "a,lossless\n")
    with pytest.raises(InputError, match=r"table\.csv, line 3: 2 columns, expected 34"):
        read_rows(path)


WRITER = """
import sys
from pathlib import Path
from tests.unit.bench.test_accuracy_rows import add_rows, make_row
for number in range(100000):
    add_rows(Path(sys.argv[1]), [make_row(experiment=str(number), layers="x" * 10000)])
"""


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_a_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    for _ in range(3):
        known = len(read_rows(path))
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        while len(read_rows(path)) <= known and writer.poll() is None:
            sleep(0.01)
        writer.kill()
        writer.wait()
        rows = read_rows(path)
        assert [row["experiment"] for row in rows] == [str(number) for number in range(len(rows))]
        path.unlink()
