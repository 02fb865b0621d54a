"""Outputs are written whole or not at all."""

import errno
import io
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from freezepack.errors import OutputExistsError
from freezepack.files import check_output, hold_stream, read_input, replace_file, write_output


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_pieces_are_written_in_order(tmp_path: Path) -> None:
    assert write_output(tmp_path / "a", [b"ab", memoryview(b"c"), bytearray(b"d")]) == 4
    assert (tmp_path / "a").read_bytes() == b"abcd"
    assert names(tmp_path) == ["a"]


def test_an_existing_file_is_kept_without_force(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with pytest.raises(OutputExistsError, match=r"a exists; --force \(force=True\) replaces it"):
        write_output(target, [b"new"])
    assert target.read_bytes() == b"old"
    assert write_output(target, [b"new"], force=True) == 3
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"new"
        (tmp_path / "a").write_bytes(b"other")

    with pytest.raises(OutputExistsError):
        write_output(tmp_path / "a", pieces())
    assert (tmp_path / "a").read_bytes() == b"other"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left")])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException | type[BaseException]
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise error

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises((KeyboardInterrupt, OSError)):
        write_output(tmp_path / "a", pieces(), force=True)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_write_beyond_the_limit_of_the_system_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    code = (
        "import sys; from freezepack.files import write_output;"
        "write_output(sys.argv[1], [bytes(1 << 20)], force=True)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.returncode == 1
    assert f"File too large: '{tmp_path / 'a'}'" in run.stderr
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_full_device_is_reported() -> None:
    with pytest.raises(OSError, match=r"No space left on device: '/dev/full'"):
        write_output("/dev/full", [b"new"])


def test_a_device_is_written_to_and_not_replaced() -> None:
    assert write_output("/dev/null", [b"new"]) == 3
    assert not Path("/dev/null").is_file()


def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(OutputExistsError):
        write_output(tmp_path / "link", [b"new"])
    write_output(tmp_path / "link", [b"new"], force=True)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"new"


def test_a_dangling_link_counts_as_existing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(OutputExistsError):
        check_output(tmp_path / "link")
    with pytest.raises(OutputExistsError):
        write_output(tmp_path / "link", [b"new"])
    assert not (tmp_path / "nothing").exists()


def test_permissions_are_those_of_a_new_file_or_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_output(tmp_path / "a", [b"new"])
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "a").chmod(0o640)
    write_output(tmp_path / "a", [b"newer"], force=True)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_errors_name_the_output_and_not_the_temporary_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_output(tmp_path / "none" / "a", [b"new"])
    assert caught.value.filename == str(tmp_path / "none" / "a")


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputExistsError):
        write_output(tmp_path / "a", [b"new"])
    with pytest.raises(IsADirectoryError) as caught:
        write_output(tmp_path / "a", [b"new"], force=True)
    assert str(caught.value) == f"[Errno 21] Is a directory: '{tmp_path / 'a'}'"
    assert names(tmp_path) == ["a"]


def test_a_file_system_without_links_still_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    write_output(tmp_path / "a", [b"new"])
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]
    with pytest.raises(OutputExistsError), replace_file(tmp_path / "b"):
        (tmp_path / "b").write_bytes(b"other")
    assert (tmp_path / "b").read_bytes() == b"other"
    assert names(tmp_path) == ["a", "b"]


def test_a_dash_is_standard_input_and_output(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"given")))
    assert write_output("-", [b"ab", b"c"]) == 3
    assert out.getvalue() == b"abc"
    assert read_input("-") == b"given"


def test_a_pipe_is_read_once_and_a_file_stays_a_path(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"given")
    assert hold_stream(tmp_path / "a") == tmp_path / "a"
    assert hold_stream(tmp_path / "none") == tmp_path / "none"
    os.mkfifo(tmp_path / "pipe")
    with feed(tmp_path / "pipe", b"given" * 50_000):
        assert hold_stream(tmp_path / "pipe") == b"given" * 50_000


@contextmanager
def feed(pipe: Path, content: bytes) -> Iterator[None]:
    """Write to a pipe while the block reads it."""
    writer = threading.Thread(target=pipe.write_bytes, args=[content])
    writer.start()
    yield
    writer.join()
