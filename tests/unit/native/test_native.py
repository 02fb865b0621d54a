import ctypes
import logging
from pathlib import Path

import pytest

from freezepack import native

needs_kernel = pytest.mark.skipif(native.library() is None, reason=native.status())


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
