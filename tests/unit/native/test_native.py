import ctypes
import logging
import os
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from freezepack import native

needs_kernel = pytest.mark.skipif(native.library() is None, reason=native.status())


@pytest.fixture
def threads() -> Iterator[None]:
    before = native.get_num_threads()
    yield
    native.set_num_threads(before)


def test_the_environment_switches_the_kernel_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", "0")
    assert native.library() is None
    assert native.function("fpk_abi", restype=ctypes.c_int32) is None
    assert native.status() == "numpy: FREEZEPACK_NATIVE=0 is set"


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FREEZEPACK_NATIVE", raising=False)
    monkeypatch.setattr(native, "KERNEL", tmp_path / "_kernel.so")
    assert native.library() is None
    assert native.status().startswith("numpy: the kernel is not built")


def test_a_file_that_is_no_library_falls_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("FREEZEPACK_NATIVE", raising=False)
    broken = tmp_path / "_kernel.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(native, "KERNEL", broken)
    with caplog.at_level(logging.WARNING):
        assert native.library() is None
    assert "_kernel.so cannot be used" in caplog.text
    assert "pip install ." in native.status()


@needs_kernel
def test_a_library_of_another_interface_falls_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A link, because the note on the library as found is kept for each path.
    stale = tmp_path / "_kernel.so"
    stale.symlink_to(native.KERNEL)
    monkeypatch.setattr(native, "KERNEL", stale)
    monkeypatch.setattr(native, "ABI", native.ABI + 1)
    with caplog.at_level(logging.WARNING):
        assert native.library() is None
    assert f"has interface {native.ABI - 1}, expected {native.ABI}" in caplog.text


@needs_kernel
def test_a_function_that_an_older_library_lacks(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert native.function("fpk_not_there_yet") is None
    assert "_kernel.so lacks fpk_not_there_yet, NumPy does its work" in caplog.text


@needs_kernel
def test_a_function_is_typed() -> None:
    abi = native.function("fpk_abi", restype=ctypes.c_int32)
    assert abi is not None
    assert abi() == native.ABI


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 4096, 4097])
@pytest.mark.usefixtures("threads")
def test_ranges_cover_everything_once_and_begin_at_tiles(size: int) -> None:
    native.set_num_threads(3)
    ranges = native.map_tiles(lambda begin, end: (begin, end), size, tile=8, least=50)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert all(begin % 8 == 0 for begin, _ in ranges)


@pytest.mark.usefixtures("threads")
def test_small_work_stays_in_the_calling_thread() -> None:
    native.set_num_threads(4)
    found = native.map_tiles(lambda *_: threading.get_ident(), 99, tile=1, least=50)
    assert found == [threading.get_ident()]


@pytest.mark.usefixtures("threads")
def test_an_error_in_a_thread_reaches_the_caller() -> None:
    def fail(begin: int, end: int) -> None:
        raise ValueError(f"no {begin} {end}")

    native.set_num_threads(2)
    with pytest.raises(ValueError, match="no 0 "):
        native.map_tiles(fail, 1000, tile=1, least=1)


def test_the_number_of_threads_begins_with_the_processors_allowed() -> None:
    assert 1 <= native.get_num_threads() <= (os.cpu_count() or 1)


def test_no_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="number of threads is 0, expected 1 or more"):
        native.set_num_threads(0)
