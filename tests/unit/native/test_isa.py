import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from freezepack import native

needs_kernel = pytest.mark.skipif(native.library() is None, reason=native.status())
PROGRAM = """
from freezepack import native
print(native.get_instruction_set())
"""


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = native.get_instruction_set()
    yield
    if before is not None:
        native.set_instruction_set(before)


def run(name: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "FREEZEPACK_SIMD": name}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=env, check=False
    )


@needs_kernel
def test_the_portable_loops_are_always_there() -> None:
    assert native.instruction_sets()[0] == "portable"


@needs_kernel
def test_each_instruction_set_can_be_chosen_and_is_said() -> None:
    for name in native.instruction_sets():
        native.set_instruction_set(name)
        assert native.get_instruction_set() == name
        assert native.status().startswith(f"native: {name}, ")


@needs_kernel
@pytest.mark.parametrize("name", ["neon" if os.uname().machine == "x86_64" else "avx2", "sse9", ""])
def test_one_that_is_not_there_is_refused_and_nothing_changes(name: str) -> None:
    before = native.get_instruction_set()
    with pytest.raises(
        ValueError, match=f"instruction set is '{name}', expected one that this machine has: port"
    ):
        native.set_instruction_set(name)
    assert native.get_instruction_set() == before


@needs_kernel
def test_the_environment_chooses_when_the_kernel_is_loaded() -> None:
    assert run("portable").stdout == "portable\n"
    best = run("").stdout.strip()
    assert best == native.instruction_sets()[-1]


@needs_kernel
def test_a_wrong_name_in_the_environment_is_an_error() -> None:
    found = run("sse9")
    assert found.returncode == 1
    expected = "FREEZEPACK_SIMD is 'sse9', expected one that this machine has: portable"
    assert expected in found.stderr


def test_without_the_kernel_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", "0")
    assert native.instruction_sets() == ()
    assert native.get_instruction_set() is None
    with pytest.raises(
        ValueError, match="instruction set is 'avx2', but there is no kernel: numpy"
    ):
        native.set_instruction_set("avx2")
    monkeypatch.undo()
