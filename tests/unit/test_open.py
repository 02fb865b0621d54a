"""Importing is cheap, opening is lazy, and every error is at hand."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import torch
from numpy.typing import NDArray

import freezepack
import freezepack.numpy
from freezepack import errors
from freezepack.checkpoints.read import read_state


def test_importing_the_package_loads_neither_numpy_nor_torch() -> None:
    code = (
        "import sys, freezepack; freezepack.__version__; freezepack.CorruptError; dir(freezepack);"
        "bad = [m for m in ('numpy', 'torch', 'zstandard', 'click') if m in sys.modules];"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_opening_a_pack_loads_numpy_and_not_torch(tmp_path: Path) -> None:
    freezepack.numpy.save_file({"w": np.ones(3, np.float32)}, tmp_path / "a.fpk")
    code = (
        "import sys, freezepack;"
        "print(freezepack.open(sys.argv[1]).get_tensor('w').tolist());"
        "assert 'torch' not in sys.modules"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.fpk")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert run.stdout == "[1.0, 1.0, 1.0]\n"


def test_every_error_is_at_hand() -> None:
    names = [
        name
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, errors.FreezepackError)
    ]
    assert sorted([*names, "__version__", "open"]) == sorted(freezepack.__all__)
    for name in names:
        assert getattr(freezepack, name) is getattr(errors, name)
    assert set(freezepack.__all__) <= set(dir(freezepack))
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        _ = freezepack.opne


def pack() -> bytes:
    tensors: dict[str, NDArray[Any]] = {
        "a": np.arange(24, dtype=np.float32).reshape(4, 3, 2),
        "b": np.array(5, np.int64),
        "c": np.array([1.5, -2.0], ml_dtypes.bfloat16),
    }
    tensors["d"] = tensors["a"]
    return freezepack.numpy.save(tensors, {"note": "ok"})


def test_names_metadata_and_tensors() -> None:
    with freezepack.open(pack()) as file:
        assert file.keys() == ["a", "b", "c", "d"]
        assert file.metadata() == {"note": "ok"}
        assert file.get_tensor("b").tolist() == 5
        assert file.get_tensor("b").shape == ()
        assert file.get_tensor("d")[3, 2].tolist() == [22.0, 23.0]
        assert file.get_tensor("c").dtype == ml_dtypes.bfloat16
        wanted = r"no tensor named 'e'\. Known: a, b, c, d\."
        with pytest.raises(freezepack.UnknownNameError, match=wanted):
            file.get_tensor("e")
        with pytest.raises(freezepack.UnknownNameError, match=wanted):
            file.get_slice("e")


def test_all_tensors_come_at_once_and_tied_names_share_one() -> None:
    with freezepack.open(pack()) as file:
        made = file.get_tensors()
        assert list(made) == ["a", "b", "c", "d"]
        assert made["d"] is made["a"]
        assert made["a"].tolist() == file.get_tensor("a").tolist()
    with freezepack.open(pack(), max_bytes=107) as file:
        assert file.get_tensor("a").shape == (4, 3, 2)
        with pytest.raises(freezepack.LimitError, match="108 bytes when rebuilt"):
            file.get_tensors()


def test_slices_know_their_form_and_are_made_when_indexed() -> None:
    with freezepack.open(pack()) as file:
        part = file.get_slice("d")
        assert part.get_shape() == [4, 3, 2]
        assert part.get_dtype() == "float32"
        assert part[1:3, ::-1, 1].tolist() == [[11.0, 9.0, 7.0], [17.0, 15.0, 13.0]]
        assert part[-1, 2, 0] == 22.0
        assert file.get_slice("b")[...].tolist() == 5


def test_torch_and_raw_frameworks() -> None:
    with freezepack.open(pack(), framework="torch") as file:
        assert torch.equal(file.get_tensor("c"), torch.tensor([1.5, -2.0], dtype=torch.bfloat16))
        assert file.get_slice("a")[0, 1].tolist() == [2.0, 3.0]
    with freezepack.open(pack(), framework="raw") as file:
        assert file.get_tensor("c").tolist() == [0x3FC0, 0xC000]
    with pytest.raises(freezepack.UnknownNameError, match="no framework named 'jax'"):
        freezepack.open(pack(), framework="jax")
    with pytest.raises(ValueError, match="framework 'numpy' knows only 'cpu'"):
        freezepack.open(pack(), device="cuda")


def test_the_limit_is_checked_for_each_tensor() -> None:
    with freezepack.open(pack(), max_bytes=50) as file:
        assert file.get_tensor("b") == 5
        assert file.get_slice("a")[1].shape == (3, 2)
        with pytest.raises(freezepack.LimitError, match="96 bytes when rebuilt"):
            file.get_tensor("a")


def test_a_file_is_closed_when_its_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.fpk"
    path.write_bytes(b"\x89FPK\x02")
    with pytest.raises(freezepack.VersionError):
        freezepack.open(path)
    path.write_bytes(pack())
    file = freezepack.open(path)
    file.close()
    assert file.keys() == ["a", "b", "c", "d"]


def test_a_backend_can_be_named() -> None:
    with freezepack.open(pack(), backend="numpy") as file:
        assert file.get_tensor("a").shape == (4, 3, 2)
    with pytest.raises(freezepack.UnknownNameError, match="no backend named 'nummpy'"):
        freezepack.open(pack(), backend="nummpy")


def test_a_slice_of_nothing_is_made_at_once() -> None:
    data = freezepack.numpy.save({"w": np.zeros((2**60, 0), np.uint8)})
    with freezepack.open(data) as file:
        assert file.get_slice("w")[...].shape == (2**60, 0)
        assert file.get_slice("w")[::-2].shape == (2**59, 0)


def test_the_limit_holds_for_a_base(tmp_path: Path) -> None:
    tensors = {"w": np.arange(1000, dtype=np.float32)}
    freezepack.numpy.save_file(tensors, tmp_path / "old.fpk")
    data = freezepack.numpy.save(tensors, base=tmp_path / "old.fpk")
    with freezepack.open(data, base=tmp_path / "old.fpk", max_bytes=4000) as file:
        assert file.get_tensor("w").tolist() == tensors["w"].tolist()
    with pytest.raises(freezepack.LimitError, match="more than max_bytes = 3,999"):
        freezepack.numpy.save({"w": tensors["w"] + 1}, base=tmp_path / "old.fpk", max_bytes=3999)


@contextmanager
def fed(pipe: Path, content: bytes) -> Iterator[Path]:
    """Make a pipe and write to it while the block reads it."""
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[content])
    writer.start()
    yield pipe
    writer.join()


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    with fed(tmp_path / "1", pack()) as pipe, freezepack.open(pipe) as file:
        assert file.get_tensor("b") == 5
    with fed(tmp_path / "2", pack()) as pipe:
        assert read_state(pipe).names == ["a", "b", "c", "d"]
    ones = {"w": np.ones(999, np.float32)}
    freezepack.numpy.save_file(ones, tmp_path / "old.fpk")
    patched = freezepack.numpy.save(ones, base=tmp_path / "old.fpk")
    with fed(tmp_path / "3", (tmp_path / "old.fpk").read_bytes()) as pipe:
        assert freezepack.numpy.load(patched, base=pipe)["w"].tolist() == [1.0] * 999
    safetensors.numpy.save_file(ones, tmp_path / "old")
    with fed(tmp_path / "4", (tmp_path / "old").read_bytes()) as pipe:
        assert read_state(pipe).names == ["w"]


def test_one_missing_base_is_explained_to_those_that_do_not_need_it(tmp_path: Path) -> None:
    old: dict[str, NDArray[Any]] = {"w": np.arange(1000, dtype=np.float32)}
    freezepack.numpy.save_file(old, tmp_path / "old.fpk")
    tensors = {**old, "head": np.ones(3, np.float32)}
    data = freezepack.numpy.save(tensors, base=tmp_path / "old.fpk")
    with freezepack.open(data) as file:
        wanted = (
            r"give it with --base PATH \(base=PATH\)\. 'head' does not use it, but the file has"
        )
        with pytest.raises(freezepack.BaseMismatchError, match=wanted):
            file.get_tensor("head")
        with pytest.raises(freezepack.BaseMismatchError, match=r"\(base=PATH\)$"):
            file.get_tensor("w")
        assert file.get_slice("head")[...].tolist() == [1.0, 1.0, 1.0]
    with freezepack.open(data, base=tmp_path / "old.fpk") as file:
        assert file.get_tensor("head").tolist() == [1.0, 1.0, 1.0]
