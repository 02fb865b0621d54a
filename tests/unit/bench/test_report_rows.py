"""A table of results is read as it is, or refused with file, line and column."""

from pathlib import Path

import pytest

from freezepack.bench.report.csv_file import read_rows, real, share, whole
from freezepack.bench.report.inputs import read_inputs
from freezepack.bench.report.points import read_published, read_records
from freezepack.bench.report.rows import keep_newest, read_runs
from freezepack.errors import InputError
from tests.unit.bench.report_rows import COLUMNS, make_row, make_rows, write_rows


def test_a_row_comes_back_as_numbers(tmp_path: Path) -> None:
    row = make_row(freezing_rate="0.99", seed=7, options='{"b": 1, "a": {"x": 2}}')
    (run,) = read_runs(write_rows(tmp_path / "a.csv", [row]))
    assert (run.seed, run.weights, run.trained_weights, run.trained_other) == (7, 430500, 4305, 580)
    assert (run.file_bytes, run.rebuilt_bytes, run.test_accuracy) == (21627, 1724320, 0.985)
    assert run.experiments == ("lenet5-mnist",)
    assert run.setup.options == '{"a":{"x":2},"b":1}'
    assert run.setup.rate == 0.99
    assert run.layers["fc2.weight"] == (300, 5000)


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("seed", "-1", "found '-1', expected a whole number of at least 0"),
        ("epochs", "1.5", "found '1.5', expected a whole number of at least 0"),
        ("test_accuracy", "98.5", "found '98.5', expected a number from 0 to 1"),
        ("validation_accuracy", "nan", "found 'nan', expected a number of at least 0"),
        ("train_seconds", "", "found '', expected a number of at least 0"),
        ("config", "abc", "found 'abc', expected 16 hexadecimal digits"),
        ("code", "C0DEC0DEC0DEC0DE", "expected 16 hexadecimal digits"),
        ("freezing_rate", "1", "found '1', expected a decimal number of at least 0 and below 1"),
        ("options", "[]", r"found '\[\]', expected a JSON object"),
        ("layers", '{"a":[1]}', r"expected JSON of \{tensor: \[trained, count\]\}"),
        ("layers", '{"a":[1,true]}', r"expected JSON of \{tensor: \[trained, count\]\}"),
    ],
)
def test_a_cell_that_is_none_is_named(
    tmp_path: Path, column: str, text: str, expected: str
) -> None:
    rows = [make_row(), {**make_row(seed=2), column: text}]
    path = write_rows(tmp_path / "a.csv", rows)
    with pytest.raises(InputError, match=rf"a\.csv, line 3, {column}: .*{expected}"):
        read_runs(path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(name for name in COLUMNS if name not in ("code", "layers")) + "\n")
    with pytest.raises(InputError, match=r"a\.csv: no column code, layers; run the benchmark anew"):
        read_runs(path)


@pytest.mark.parametrize(("line", "problem"), [("1", "fewer"), ("1,2,3", "more")])
def test_a_line_of_another_length_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"x,y\n1,2\n{line}\n")
    with pytest.raises(InputError, match=f"line 3: {problem} cells than the head has columns"):
        read_rows(path, {"x": whole, "y": whole})


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such table\.csv: No such file"):
        read_runs(tmp_path / "no such table.csv")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not CSV in UTF-8"):
        read_runs(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(InputError, match="no column model, data"):
        read_runs(tmp_path / "a.csv")


def test_a_table_without_rows_says_what_adds_them(tmp_path: Path) -> None:
    write_rows(tmp_path / "accuracy.csv", [])
    with pytest.raises(InputError, match=r"accuracy\.csv has no rows: freezepack bench accuracy"):
        read_inputs(tmp_path, tmp_path)


def test_two_rows_about_the_same_are_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.csv", [make_row(), make_row(seed=2), make_row()])
    expected = r"rows 1 and 3 are both configuration [0-9a-f]{16}, lossless, of experiment lenet5"
    with pytest.raises(InputError, match=expected):
        read_runs(path)


def test_a_run_of_two_experiments_counts_once(tmp_path: Path) -> None:
    rows = [make_row(experiment="b"), make_row(experiment="a"), make_row(seed=2)]
    runs, older = keep_newest(read_runs(write_rows(tmp_path / "a.csv", rows)))
    assert [run.experiments for run in runs] == [("b", "a"), ("lenet5-mnist",)]
    assert older == []


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_result_counts_whatever_the_order(tmp_path: Path, order: int) -> None:
    rows = [
        make_row(experiment="a", code="1" * 16, finished="2026-11-20T00:00:00Z", file_bytes=10),
        make_row(experiment="b", code="2" * 16, finished="2026-11-21T00:00:00Z", file_bytes=11),
    ]
    runs, older = keep_newest(read_runs(write_rows(tmp_path / "a.csv", rows[::order])))
    assert [run.file_bytes for run in runs] == [11]
    assert [run.file_bytes for run in older] == [10]


def test_made_up_rows_are_rows(tmp_path: Path) -> None:
    rows = make_rows()
    assert len(read_runs(write_rows(tmp_path / "a.csv", rows))) == len(rows)


def test_records_are_grouped_and_percent(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_text(
        "network,bytes,test_error,setting,validation_error,color\n"
        "lenet5-caffe,1000,1.0,lambda 1e-5,1.2,red\nlenet5-caffe,1100,0.8,lambda 1e-5,1.0,red\n"
        "lenet5-caffe,2000,0.7,lambda 1e-6,,red\n"
    )
    small, large = read_records(path)
    assert (small.file_bytes.mean, small.test_error.mean, small.seeds) == (1050, 0.9, 2)
    assert small.validation_error is not None
    assert small.validation_error.mean == pytest.approx(1.1)
    assert (large.title, large.data) == ("trained for its file, lambda 1e-6", "mnist")
    assert large.validation_error is None
    path.write_text("network,bytes,test_error\nlenet5-caffe,1000,101\n")
    with pytest.raises(InputError, match="test_error: found '101', expected a number from 0 to"):
        read_records(path)


def test_missing_tables_have_no_points(tmp_path: Path) -> None:
    assert read_records(tmp_path / "records.csv") == []
    assert read_published(tmp_path / "published.csv") == []


def test_the_published_points_say_where_they_are_from() -> None:
    path = Path(__file__).parents[3] / "benchmarks/results/published.csv"
    points = read_published(path)
    assert {point.network for point in points} >= {"lenet5-caffe", "lenet-300-100"}
    for point in points:
        assert point.source.startswith(("arXiv:", "https://"))
        assert "not run" in point.remark
        assert point.test_error is not None or "error not known" in point.remark
    smallest = min(points, key=lambda point: point.bytes)
    assert (smallest.bytes, smallest.test_error) == (1140, 0.98)


def test_numbers_are_what_they_say() -> None:
    assert [whole("0"), share("1"), real("2.5")] == [0, 1.0, 2.5]
    for parse, text in ((whole, "+1"), (whole, "٣"), (share, "1.01"), (real, "inf")):
        with pytest.raises(ValueError, match="a "):
            parse(text)
