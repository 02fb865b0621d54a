"""Files take their places together or not at all."""

import errno
import os
from pathlib import Path

import pytest

from freezepack.errors import OutputExistsError
from freezepack.export.staging import stage_files

NAMES = ("m.onnx.data", "m.onnx")


def outputs(folder: Path) -> list[Path]:
    return [folder / name for name in NAMES]


def make(folder: Path, text: bytes = b"new") -> None:
    for name in NAMES:
        (folder / name).write_bytes(text)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_both_files_appear_at_the_end(tmp_path: Path) -> None:
    with stage_files(outputs(tmp_path)) as folder:
        make(folder)
        assert not (tmp_path / "m.onnx").exists()
    assert contents(tmp_path) == {"m.onnx": b"new", "m.onnx.data": b"new"}


def test_an_error_inside_leaves_the_old_files(tmp_path: Path) -> None:
    make(tmp_path, b"old")

    def fill(folder: Path) -> None:
        make(folder)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), stage_files(outputs(tmp_path), force=True) as folder:
        fill(folder)
    assert contents(tmp_path) == {"m.onnx": b"old", "m.onnx.data": b"old"}


@pytest.mark.parametrize("there", NAMES)
def test_nothing_is_replaced_without_force(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="--force"), stage_files(outputs(tmp_path)):
        pytest.fail("the block must not run")
    assert contents(tmp_path) == {there: b"old"}


@pytest.mark.parametrize("there", NAMES)
def test_a_file_that_appears_meanwhile_stays_and_the_other_is_taken_back(
    tmp_path: Path, there: str
) -> None:
    def fill(folder: Path) -> None:
        make(folder)
        (tmp_path / there).write_bytes(b"theirs")

    with pytest.raises(OutputExistsError), stage_files(outputs(tmp_path)) as folder:
        fill(folder)
    assert contents(tmp_path) == {there: b"theirs"}


def test_a_failed_move_puts_back_what_was_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, b"old")
    link = os.link

    def fail(source: Path, target: Path) -> None:
        if Path(target).name == "m.onnx":
            raise KeyboardInterrupt
        link(source, target)

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(KeyboardInterrupt), stage_files(outputs(tmp_path), force=True) as folder:
        make(folder)
    assert contents(tmp_path) == {"m.onnx": b"old", "m.onnx.data": b"old"}


def test_force_replaces_both_and_keeps_the_mode(tmp_path: Path) -> None:
    make(tmp_path, b"old")
    (tmp_path / "m.onnx").chmod(0o600)
    with stage_files(outputs(tmp_path), force=True) as folder:
        make(folder)
    assert contents(tmp_path) == {"m.onnx": b"new", "m.onnx.data": b"new"}
    assert (tmp_path / "m.onnx").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_names_the_output(tmp_path: Path) -> None:
    for place in (None, "inside"):
        with (
            pytest.raises(OSError, match="No space") as caught,
            stage_files(outputs(tmp_path)) as f,
        ):
            raise OSError(errno.ENOSPC, "No space left on device", place and str(f / place))
        assert caught.value.filename == str(tmp_path / "m.onnx.data")
    assert contents(tmp_path) == {}


def test_a_missing_folder_names_the_output(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, stage_files(outputs(tmp_path / "none")):
        pytest.fail("the block must not run")
    assert caught.value.filename == str(tmp_path / "none" / "m.onnx.data")
