"""Wrong input: a clear message, the right exit code, and nothing lost."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.cli.conftest import Command
from tests.robustness.loading import uncoded


def test_a_missing_input_is_unreadable(command: Command, tmp_path: Path) -> None:
    done = command("inspect", tmp_path / "none.fpk")
    assert done.code == 3
    assert done.err == f"Error: {tmp_path}/none.fpk: No such file or directory\n"


def test_a_file_of_another_kind_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.fpk").write_bytes(b"GIF89a")
    done = command("inspect", tmp_path / "a.fpk")
    assert done.code == 3
    assert "magic at byte 0: " in done.err
    assert "not a freezepack file" in done.err


def test_a_cut_file_is_refused_and_the_output_kept(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    data = (trained / "model.fpk").read_bytes()
    (tmp_path / "cut.fpk").write_bytes(data[:-1])
    old = tmp_path / "old.safetensors"
    old.write_bytes(b"old")
    done = command("unpack", tmp_path / "cut.fpk", "-o", old, "--force")
    assert done.code == 3
    assert "the file is damaged or not whole" in done.err
    assert old.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.fpk", "old.safetensors"]


def test_an_output_is_replaced_only_with_force(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    target = tmp_path / "m.safetensors"
    target.write_bytes(b"old")
    done = command("unpack", trained / "model.fpk", "-o", target)
    assert done.code == 1
    assert "--force" in done.err
    assert target.read_bytes() == b"old"
    assert command("unpack", trained / "model.fpk", "-o", target, "--force").code == 0
    done = command("pack", trained / "model.pt", "-o", trained / "model.fpk")
    assert done.code == 1


def test_a_pickle_with_code_is_refused(command: Command, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("pwned",)

    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"w": Evil()}, protocol=2))
    torch.save({"w": Evil()}, tmp_path / "evil2.pt")
    for name in ("evil.pt", "evil2.pt"):
        done = command("pack", tmp_path / name, "-o", tmp_path / "x.fpk")
        assert done.code == 3
        assert "pwned" not in done.out
        assert "weights_only" in done.err
    assert not (tmp_path / "x.fpk").exists()


def test_another_network_is_refused(command: Command, trained: Path, tmp_path: Path) -> None:
    pack = trained / "model.fpk"
    done = command("eval", pack, "--data", "digits", "--architecture", "lenet5-caffe")
    assert done.code == 1
    assert "the tensors are not those of the network" in done.err
    save_file({"w": torch.zeros(2)}, tmp_path / "m.safetensors")
    command("pack", tmp_path / "m.safetensors", "-o", tmp_path / "m.fpk")
    done = command("unpack", tmp_path / "m.fpk", "-o", tmp_path / "m.pt2")
    assert done.code == 1
    assert "does not say which network" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "scoers"], "Did you mean 'scores'?"),
        (["train", "--score", "sniip"], "no score named 'sniip'. Did you mean 'snip'?"),
        (["train", "--model", "lenet5"], "no model named 'lenet5'"),
        (["train", "--model-arg", "relu"], "'relu' is not of the form KEY=VALUE"),
        (["train", "--model-arg", "relu=zzz"], "relu is 'zzz'"),
        (["train", "--threads", "0"], "0 is not in the range"),
        (["train", "--device", "foo"], "no device named 'foo'"),
        (["train", "--freezing-rate", "1"], "freezing rate"),
        (["train", "--freezing-rate", "many"], "freezing rate"),
        (["nonsense"], "No such command 'nonsense'"),
        (["pack"], "Missing argument 'MODEL'"),
    ],
)
def test_usage_errors_name_the_way_out(
    command: Command, arguments: list[str], message: str
) -> None:
    done = command(*arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["inspect", "verify", "eval", "unpack", "pack"])
@pytest.mark.parametrize("content", [b"", b"\x89", b"no model", b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_every_command_calls_a_foreign_file_unreadable(
    command: Command, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / "x.fpk").write_bytes(content)
    more: dict[str, list[object]] = {
        "eval": ["--data", "digits"],
        "unpack": ["-o", tmp_path / "y.pt"],
    }
    more["pack"] = ["-o", tmp_path / "y.fpk"]
    done = command(name, tmp_path / "x.fpk", *more.get(name, []))
    assert done.code == 3
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["x.fpk"]


def test_nothing_goes_down_a_pipe_before_everything_is_checked(
    trained: Path, tmp_path: Path
) -> None:
    tensors = {f"w{i}": torch.randn(200, 300) for i in range(4)}
    save_file(tensors, tmp_path / "m.safetensors")
    run = [sys.executable, "-m", "freezepack"]
    subprocess.run([*run, "pack", "m.safetensors", "-o", "m.fpk"], cwd=tmp_path, check=True)
    data = bytearray((tmp_path / "m.fpk").read_bytes())
    data[-1] ^= 1
    (tmp_path / "m.fpk").write_bytes(data)
    arguments = [*run, "unpack", "m.fpk", "-o", "-", "--to", "safetensors"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 3
    assert done.stdout == b""


def test_a_petabyte_is_inspected_at_once_and_never_made(command: Command, tmp_path: Path) -> None:
    import freezepack.numpy

    claim = {"w": np.broadcast_to(np.float32(1), (1 << 20, 1 << 8))}
    data = freezepack.numpy.save({"w": claim["w"][:1].copy()}, values="constant")
    assert len(data) < 100
    (tmp_path / "s.fpk").write_bytes(_with_rows(uncoded(data), 1 << 40))
    facts = json.loads(command("inspect", tmp_path / "s.fpk", "--json").out)
    assert facts["rebuilt_bytes"] == 1 << 50
    for arguments in (["inspect", "--changed"], ["verify"], ["unpack", "-o", tmp_path / "x.pt"]):
        done = command(arguments[0], tmp_path / "s.fpk", *arguments[1:])
        assert done.code == 3
        assert "--max-bytes" in done.err


def _with_rows(data: bytes, rows: int) -> bytes:
    """Return a pack of one float32 tensor with another first dimension, checksum repaired."""
    from freezepack.format.cursor import varint_bytes
    from freezepack.format.preamble import preamble_bytes
    from freezepack.format.reader import PackReader

    with PackReader(data) as reader:
        start = reader.header.sizes["preamble"]
    body = data[start:]
    old = b"\x02" + varint_bytes(1) + varint_bytes(256)
    assert body.count(old) == 1
    longer = body.replace(old, b"\x02" + varint_bytes(rows) + varint_bytes(256))
    return preamble_bytes(0, longer, [], 0) + longer


def test_a_limit_is_named(command: Command, trained: Path, tmp_path: Path) -> None:
    done = command("unpack", trained / "model.fpk", "-o", tmp_path / "m.pt", "--max-bytes", "1000")
    assert done.code == 3
    assert "--max-bytes" in done.err


def test_missing_data_names_folder_and_remedy(command: Command, tmp_path: Path) -> None:
    done = command("train", "--data", "mnist", "--data-dir", tmp_path, "--out", tmp_path / "run")
    assert done.code == 1
    assert str(tmp_path) in done.err
    assert not (tmp_path / "run" / "model.pt").exists()


def test_help_is_light() -> None:
    code = (
        "import sys; sys.argv = ['freezepack', '--help']\n"
        "from freezepack.cli import main\n"
        "try: main()\n"
        "finally: print('numpy' in sys.modules, 'torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "False False\n"
    assert "Exit codes: 0 done" in done.stdout
