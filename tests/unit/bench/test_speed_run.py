"""`freezepack bench speed`: a small real run, its JSON and files, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from freezepack.bench.speed import decoding, run, startup
from freezepack.bench.speed.run import SpeedRun, choose_parts
from freezepack.bench.speed.turns import Pace
from freezepack.cli.bench import bench
from freezepack.errors import (
    FreezepackError,
    MissingExtraError,
    OutputExistsError,
    UnknownNameError,
)

SMALL = ["speed", "--part", "generator", "--path", "numpy", "--size", "2k", "--rounds", "1"]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(bench, [str(argument) for argument in arguments])


def no_package(missing: str) -> Any:
    return lambda name: None if name == missing else name


def test_json_goes_to_stdout_and_progress_to_stderr() -> None:
    done = invoke(*SMALL, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found) == ["schema", "about", "generator"]
    assert found["schema"] == 1
    about = ["command", "processor", "system", "python", "packages", "kernel", "freezepack"]
    assert list(found["about"]) == about
    assert [(row["draw"], row["work"], row["rounds"]) for row in found["generator"]] == [
        ("normal", "fill", 1),
        ("normal", "fill, patch, digest", 1),
        ("uniform", "fill", 1),
        ("uniform", "fill, patch, digest", 1),
    ]
    assert list(found["generator"][0]) == [
        *("path", "draw", "dtype", "elements", "threads", "work", "seconds", "gb_per_s"),
        *("elements_per_s", "memcpy_gb_per_s", "memcpy_ratio", "torch_ratio", "fill_ratio"),
        "rounds",
    ]
    assert done.stderr == "4 fills of 2,000 elements, threads: 1\n"


def test_without_json_there_are_tables() -> None:
    done = invoke(*SMALL)
    title, _, header, *_ = done.stdout.splitlines()
    assert title == "2,000 elements, 1 thread"
    columns = "path draw type work GB/s G elements/s / memcpy / torch / fill"
    assert header.split() == columns.split()


def test_results_are_written_and_replaced_only_with_force(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = [f"speed-generator{end}" for end in ("-dark.png", "-light.png", ".json", ".md")]
    done = invoke(*SMALL, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    page = (tmp_path / "out" / "speed-generator.md").read_text()
    assert page.startswith("# Speed of the generator\n\n- command: freezepack")
    assert "## 2,000 elements, 1 thread" in page
    assert json.loads((tmp_path / "out" / names[2]).read_text())["schema"] == 1
    refused = invoke(*SMALL, "-o", tmp_path / "out")
    assert isinstance(refused.exception, OutputExistsError)
    assert "fills of" not in refused.stderr  # before anything was measured
    assert invoke(*SMALL, "-o", tmp_path / "out", "--force").exit_code == 0


def test_no_pictures_if_none_are_wanted(tmp_path: Path) -> None:
    assert invoke(*SMALL, "-o", tmp_path, "--no-plot").exit_code == 0
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize("size", ["0", "-1", "1.5", "11G", "", "2000M"])
def test_sizes_that_are_none_are_refused(size: str) -> None:
    done = invoke("speed", f"--size={size}")
    assert done.exit_code == 2
    assert f"{size!r} is no number from 1 to 1,000,000,000, like 430k or 11M" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--draw", "nromal"], "no draw named 'nromal'. Did you mean 'normal'?"),
        (["--part", "laod"], "no part named 'laod'. Did you mean 'load'?"),
        (["--dtype", "float64"], "no element type named 'float64'"),
        (["--path", "avx9"], "no path named 'avx9'"),
    ],
)
def test_unknown_names_are_refused(arguments: list[str], message: str) -> None:
    done = invoke("speed", *arguments)
    assert isinstance(done.exception, UnknownNameError)
    assert str(done.exception).startswith(message)


def test_what_cannot_be_done_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    done = invoke("speed", "--scratch", tmp_path / "none")
    assert isinstance(done.exception, FreezepackError)
    assert str(done.exception).startswith(f"{tmp_path / 'none'} is no folder: --scratch names")
    (tmp_path / "file").write_text("")
    folder = invoke("speed", "--part", "startup", "-o", tmp_path / "file" / "out")
    alone = invoke("speed", "--path", "torch's own", "--draw", "sign")
    assert isinstance(folder.exception, OSError)
    assert isinstance(alone.exception, FreezepackError)
    wanted = "torch's own generator has only normal and uniform: name another --path or --draw"
    assert str(alone.exception) == wanted
    assert (done.stderr, folder.stderr, alone.stderr) == ("", "", "")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "find_spec", no_package("matplotlib"))
    done = invoke(*SMALL, "--plot")
    assert isinstance(done.exception, MissingExtraError)
    assert "--plot needs matplotlib, which is not installed" in str(done.exception)
    monkeypatch.setattr(run, "find_spec", no_package("torch"))
    done = invoke("speed", "--part", "load")
    assert isinstance(done.exception, MissingExtraError)
    assert "--part load or decoding needs torch" in str(done.exception)


def test_without_torch_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "find_spec", no_package("torch"))
    lines: list[str] = []
    assert choose_parts(SpeedRun(), lines.append) == ["generator", "startup"]
    assert lines == ["torch is not installed: only our own generator and starting are measured"]


def test_naming_a_draw_asks_for_the_generator_alone() -> None:
    from freezepack.bench.speed.cases import Wanted

    assert choose_parts(SpeedRun(wanted=Wanted(draws=("sign",))), print) == ["generator"]
    assert len(choose_parts(SpeedRun(), print)) == 4


def test_rounds_that_are_given_hold_for_every_job() -> None:
    assert SpeedRun(rounds=7).pace(0.1, 1.0) == Pace(most=7, least=7)
    assert SpeedRun().pace(0.1, 1.0, least=5) == Pace(least=5, seconds=0.1)


def test_starting_is_measured_beside_an_empty_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "COMMANDS", {startup.EMPTY: ("-c", "pass")})
    rows = startup.measure_startup(Pace(most=1, least=1))
    assert [(row["command"], row["seconds_beyond_python"]) for row in rows] == [
        ("python -c pass", 0.0)
    ]


def test_decoding_is_measured_for_indices_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "RATES", ("0.99",))
    rows = decoding.measure_decoding(20_000, lambda line: None, Pace(most=1, least=1))
    assert [(row["part"], row["codec"], row["trained"]) for row in rows] == [
        *(("index", name, 200) for name in ("probit", "hazard", "gaps", "bitmap")),
        *(("values", name, 200) for name in decoding.CODECS),
    ]
    assert all(row["trained_per_s"] == 200 / float(row["seconds"]) for row in rows)
