"""`freezepack bench report` writes a report, replaces none unasked, and checks what is there."""

import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from freezepack.bench.report import build
from freezepack.bench.report.arrange import arrange
from freezepack.bench.report.contents import build_page
from freezepack.bench.report.groups import group_runs
from freezepack.bench.report.inputs import read_inputs
from freezepack.bench.report.page import Figure
from freezepack.bench.report.plots.curves import picture_curves
from freezepack.bench.report.plots.keys import spread_out
from freezepack.bench.report.plots.stacks import picture_stacks
from freezepack.bench.report.plots.style import THEMES, digest_of, draw_files, read_digest
from freezepack.bench.report.rows import read_runs
from freezepack.cli.bench_report import report
from freezepack.errors import InputError, MissingExtraError, OutputExistsError
from tests.unit.bench.report_rows import make_row, make_rows, write_rows

RESULTS = Path(__file__).parents[3] / "benchmarks/results"
PICTURES = [
    f"report-{name}-{theme}.png"
    for name in ("accuracy", "bytes-by-part", "error-bytes-lenet5-caffe-mnist", "layers")
    for theme in ("dark", "light")
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all tables, and the report in it."""
    folder = tmp_path_factory.mktemp("results")
    write_rows(folder / "accuracy.csv", make_rows())
    for name in ("published.csv", "size-files.csv"):
        shutil.copy(RESULTS / name, folder / name)
    done = run("--results", str(folder), "-o", str(folder), "--experiments", str(folder / "no"))
    assert done.exit_code == 0, done.output
    assert sorted(Path(line).name for line in done.output.splitlines()) == sorted(
        [*PICTURES, "report.html", "report.md"]
    )
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(report, arguments)


def again(results: Path, *arguments: str, output: Path | None = None) -> Result:
    folders = ["--results", str(results), "--experiments", str(results / "no")]
    return run(*folders, "-o", str(output or results), *arguments)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_small_wide_and_of_their_theme(results: Path, name: str) -> None:
    data = (results / name).read_bytes()
    assert 8_000 < len(data) < 100_000
    with Image.open(io.BytesIO(data)) as image:
        assert image.width == 1600
        assert set(image.info) <= {"freezepack-data"}
        page = image.convert("RGB").getpixel((2, 2))
        colours = image.convert("RGB").getcolors(1 << 24) or []
    theme = {theme.name: theme for theme in THEMES}[name[:-4].rpartition("-")[2]]
    assert page == tuple(bytes.fromhex(theme.page[1:]))
    drawn = {colour for _, colour in colours}
    assert any(_near(theme.text, colour) for colour in drawn)
    if "layers" not in name:
        assert any(_near(theme.frozen, colour) for colour in drawn)


def _near(wanted: str, found: object) -> bool:
    parts = bytes.fromhex(wanted[1:])
    return isinstance(found, tuple) and all(
        abs(a - b) < 12 for a, b in zip(parts, found, strict=True)
    )


def test_the_same_numbers_give_the_same_bytes(results: Path) -> None:
    picture = picture_stacks({"a": read_inputs(results, results).sizes[:11]})
    assert picture is not None
    first = draw_files(picture)
    assert draw_files(picture) == first
    assert {read_digest(data) for data in first.values()} == {digest_of(picture)}


def test_nothing_is_replaced_unasked(results: Path) -> None:
    before = (results / "report.md").read_bytes()
    done = again(results)
    assert isinstance(done.exception, OutputExistsError)
    assert "exists: give --force to replace it" in str(done.exception)
    assert (results / "report.md").read_bytes() == before


def test_check_holds_tables_and_report_together(results: Path, tmp_path: Path) -> None:
    assert again(results, "--check").exit_code == 0
    shutil.copytree(results, tmp_path / "copy")
    copy = tmp_path / "copy"
    rows = make_rows()
    rows[5]["test_accuracy"] = "0.9123"
    write_rows(copy / "accuracy.csv", rows)
    (copy / "report-layers-dark.png").unlink()
    done = again(copy, "--check")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        f"{copy}/report.md is not what the tables give",
        f"{copy}/report.html is not what the tables give",
        f"{copy}/report-accuracy-light.png shows other numbers than the tables have",
        f"{copy}/report-accuracy-dark.png shows other numbers than the tables have",
        f"{copy}/report-error-bytes-lenet5-caffe-mnist-light.png shows other numbers than the "
        "tables have",
        f"{copy}/report-error-bytes-lenet5-caffe-mnist-dark.png shows other numbers than the "
        "tables have",
        f"{copy}/report-layers-dark.png is missing",
        "Error: 7 files differ: freezepack bench report --force writes them anew",
    ]


def test_check_of_an_empty_folder_names_every_file(results: Path, tmp_path: Path) -> None:
    done = again(results, "--check", output=tmp_path)
    assert done.exit_code == 1
    assert done.output.count(" is missing\n") == 10
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_cannot_be_used_leaves_the_report(results: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "accuracy.csv", [make_row(), make_row()])
    done = again(tmp_path, "--force", output=tmp_path)
    assert isinstance(done.exception, InputError)
    assert [path.name for path in tmp_path.iterdir()] == ["accuracy.csv"]


def test_a_missing_package_is_named(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_spec", lambda name: None if name == "matplotlib" else name)
    done = again(results, "--force")
    assert isinstance(done.exception, MissingExtraError)
    assert str(done.exception) == (
        "freezepack bench report needs matplotlib, which is not installed: "
        "pip install 'freezepack[bench]'"
    )
    assert again(results, "--check").exit_code == 0


def test_what_experiments_ask_for_and_is_not_there_is_said(tmp_path: Path) -> None:
    experiments = tmp_path / "experiments"
    experiments.mkdir()
    (experiments / "large.toml").write_text('model = "conv6"\ndata = "cifar-10"\n')
    text = 'model = "lenet5-caffe"\ndata = "digits"\nepochs = 1\nseed = [1, 2]\n'
    (experiments / "some-cifar.toml").write_text(text + '[pack]\nvalues = ["lossless", "grid:2"]\n')
    write_rows(tmp_path / "accuracy.csv", [make_row()])
    asked = read_inputs(tmp_path, experiments).asked
    assert [(entry.name, entry.rows, entry.there) for entry in asked] == [
        ("large", 1, 0),
        ("some-cifar", 4, 0),
    ]
    assert asked[0].command.endswith("large.toml --device cuda")
    done = run("--results", str(tmp_path), "-o", str(tmp_path), "--experiments", str(experiments))
    assert done.exit_code == 0, done.output
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    command = "`freezepack bench accuracy benchmarks/accuracy/some-cifar.toml`"
    assert f"Not measured. {command}.\n" in page
    assert f"| some-cifar | **not measured** | 0 of 4 | {command} |" in page


def test_one_freezing_rate_makes_no_curve(tmp_path: Path) -> None:
    runs = read_runs(write_rows(tmp_path / "a.csv", [make_row(), make_row(fill="zeros")]))
    assert picture_curves(arrange(group_runs(runs))) is None


def test_a_curve_that_reaches_chance_or_no_error_is_drawn(tmp_path: Path) -> None:
    rows = [
        make_row(freezing_rate=rate, seed=seed, test_accuracy=accuracy)
        for rate, accuracy in (("0.9", 1.0), ("0.99", 0.5), ("0.999", 0.098))
        for seed in (1, 2)
    ]
    runs = read_runs(write_rows(tmp_path / "a.csv", rows))
    picture = picture_curves(arrange(group_runs(runs)))
    assert picture is not None
    assert all(len(data) > 5_000 for data in draw_files(picture).values())


def test_a_network_with_many_layers_is_drawn(tmp_path: Path) -> None:
    layers = {f"block.{n}.conv.weight": [10 * (n + 1), 10_000] for n in range(20)}
    rows = [
        make_row(data="cifar-10", freezing_rate=rate, layers=json.dumps(layers))
        for rate in ("0.9", "0.99")
    ]
    write_rows(tmp_path / "accuracy.csv", rows)
    blocks = build_page(read_inputs(tmp_path, tmp_path / "no"))
    figures = [block.picture for block in blocks if isinstance(block, Figure)]
    assert [picture.name for picture in figures] == ["layers", "accuracy-cifar"]
    for picture in figures:
        assert all(len(data) < 100_000 for data in draw_files(picture).values())


def test_heights_are_spread_and_keep_their_order() -> None:
    assert spread_out([5.0, 5.0, 5.0], 2.0) == pytest.approx([3.0, 5.0, 7.0], abs=1e-3)
    assert spread_out([9.0, 1.0], 2.0) == [9.0, 1.0]
    assert spread_out([], 2.0) == []
