"""A pack whose tensors share a section, by every command that reads packs."""

import json
from pathlib import Path

import numpy as np

from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.grid.step import Step
from freezepack.pack.packer import pack_arrays
from freezepack.types import DType, TensorSpec
from tests.cli.conftest import Command


def write(path: Path) -> None:
    """Write a pack of two tensors with values that are multiples of 1/8."""
    step = Step(1, 0, 0x3E000000)
    weight, bias = np.zeros((30, 20), np.float32), np.zeros(30, np.float32)
    weight[::4, 3:9] = -0.25
    bias[5] = 0.125
    specs = (
        TensorSpec("fc.bias", (30,), DType.float32),
        TensorSpec("fc.weight", (30, 20), DType.float32),
    )
    raws = (each.reshape(-1).view(np.uint32) for each in (bias, weight))
    arrays = {spec.name: (spec, raw) for spec, raw in zip(specs, raws, strict=True)}
    packed = pack_arrays(arrays, codecs={spec.name: Grid(step) for spec in specs})
    path.write_bytes(b"".join(packed.pieces))


def test_a_run_is_inspected_verified_and_unpacked(command: Command, tmp_path: Path) -> None:
    pack = tmp_path / "m.fpk"
    write(pack)
    facts = json.loads(command("inspect", pack, "--json").out)
    assert facts["lossy"]
    assert [tensor["index"] for tensor in facts["tensors"]] == ["joint", "joint"]
    assert [tensor["trained"] for tensor in facts["tensors"]] == [1, 48]
    assert [tensor["changed"] for tensor in facts["tensors"]] == [1, 48]
    fast = json.loads(command("inspect", pack, "--json", "--no-changed").out)
    assert (fast["trained"], fast["changed"]) == (49, None)
    shown = command("inspect", pack).out
    assert "trained: 49 of 630, of these changed 49" in shown
    assert "2 tensors share sections of index and values" in shown
    assert command("unpack", pack, "-o", tmp_path / "m.safetensors").code == 0
    assert command("verify", pack, "--against", tmp_path / "m.safetensors").code == 0
    assert command("inspect", pack, "--plot", tmp_path / "m.svg").code == 0


def test_a_pack_with_a_run_can_be_packed_again(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "m.fpk")
    done = command("pack", tmp_path / "m.fpk", "-o", tmp_path / "again.fpk")
    assert done.code == 0
    assert command("verify", tmp_path / "again.fpk", "--against", tmp_path / "m.fpk").code == 0
