"""Every back end of a device makes the same bits, shown on the CPU.

Triton's interpreter has to be asked for before Triton is imported, so it has a process of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from freezepack.cli.list import list_parts
from freezepack.errors import FreezepackError, UnknownNameError
from freezepack.rebuild.torch_devices import (
    DEVICE_BACKENDS,
    choose_device_backend,
    describe_device,
)
from freezepack.rebuild.torch_devices.plain import TORCH
from freezepack.rebuild.torch_devices.triton_backend import TRITON
from tests.contract.device_battery import SLOW_FILES, DeviceBattery, Place, check_golden

CPU = torch.device("cpu")
INTERPRETER = os.environ.get("TRITON_INTERPRET") == "1"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: beside other processes, its threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# Without the interpreter, Triton's turn comes in the process that has it.
@pytest.fixture(params=[name for name in DEVICE_BACKENDS if name != "triton" or INTERPRETER])
def place(request: pytest.FixtureRequest) -> Place:
    return Place(DEVICE_BACKENDS.get_part(request.param), CPU, few=request.param == "triton")


class TestOnTheCpu(DeviceBattery):
    pass


@pytest.mark.parametrize("name", sorted(SLOW_FILES))
def test_large_golden_files_have_the_expected_bits(name: str, tmp_path: Path) -> None:
    check_golden(Place(TORCH, CPU), name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW_FILES))
def test_large_golden_files_in_tritons_interpreter(name: str, tmp_path: Path) -> None:
    if TRITON.problem(CPU):
        pytest.skip(TRITON.problem(CPU))
    check_golden(Place(TRITON, CPU, few=True), name, tmp_path)


def run_in_interpreter(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, *arguments],
        env={**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]


@pytest.mark.skipif(INTERPRETER, reason="this is the interpreter's process")
@pytest.mark.timeout(300)
def test_the_battery_holds_in_tritons_interpreter() -> None:
    pytest.importorskip("triton")
    run_in_interpreter("-k", "TestOnTheCpu and triton")


@pytest.mark.slow
@pytest.mark.skipif(INTERPRETER, reason="this is the interpreter's process")
def test_large_golden_files_hold_in_tritons_interpreter() -> None:
    pytest.importorskip("triton")
    run_in_interpreter("-m", "slow", "-k", "test_large_golden_files_in_tritons_interpreter")


@pytest.mark.parametrize("name", list(DEVICE_BACKENDS))
def test_a_backend_has_the_name_of_its_line(name: str) -> None:
    assert DEVICE_BACKENDS.get_part(name).name == name


def test_the_cpu_makes_its_own_tensors_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FREEZEPACK_DEVICE_BACKEND", raising=False)
    assert choose_device_backend("cpu") is None
    assert choose_device_backend("meta") is None
    assert choose_device_backend("mps") is TORCH
    assert choose_device_backend("mps", "host") is None
    monkeypatch.setenv("FREEZEPACK_DEVICE_BACKEND", "torch")
    assert choose_device_backend("cpu") is TORCH
    monkeypatch.setenv("FREEZEPACK_DEVICE_BACKEND", "host")
    assert choose_device_backend("mps") is None


def test_a_backend_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match=r"no device back end named 'tritn'. Did you mean"):
        choose_device_backend("cpu", "tritn")
    with pytest.raises(FreezepackError, match="'torch' is not available: tensors on 'meta'"):
        choose_device_backend("meta", "torch")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(FreezepackError, match="tensors are on 'cpu', expected 'cuda'"):
        choose_device_backend("cpu", "triton")


def test_they_are_listed_beside_those_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZEPACK_DEVICE_BACKEND", "host")
    shown = CliRunner().invoke(list_parts, ["backends"])
    assert shown.exit_code == 0
    for text in ("\n  numpy ", "\ndevice-backends\n", "\n  triton ", "\n  in use: none: "):
        assert text in shown.output
    tables = json.loads(CliRunner().invoke(list_parts, ["backends", "--json"]).output)
    assert [row["name"] for row in tables["device-backends"]] == ["triton", "torch"]


def test_what_is_in_use_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("cuda", "xpu"):
        monkeypatch.setattr(f"torch.{kind}.is_available", lambda: False)
    monkeypatch.setattr("torch.mps.is_available", lambda: True)
    assert describe_device() == "torch: on 'mps' (triton: tensors are on 'mps', expected 'cuda')"
    monkeypatch.setenv("FREEZEPACK_DEVICE_BACKEND", "host")
    assert describe_device() == "none: FREEZEPACK_DEVICE_BACKEND=host is set"
    monkeypatch.setattr("torch.mps.is_available", lambda: False)
    monkeypatch.setenv("FREEZEPACK_DEVICE_BACKEND", "torch")
    assert describe_device().startswith("torch: on 'cpu' (triton: ")
    monkeypatch.setenv("FREEZEPACK_DEVICE_BACKEND", "trch")
    assert describe_device().startswith("none: no device back end named 'trch'. Did you mean")
    monkeypatch.delenv("FREEZEPACK_DEVICE_BACKEND")
    assert describe_device().startswith("none: torch finds no device beside the CPU (triton: ")
