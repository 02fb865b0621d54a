"""`freezepack bench size` writes its tables, and replaces none unasked."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from freezepack.bench import suite
from freezepack.bench.cases import Case
from freezepack.cli.bench import bench
from freezepack.errors import OutputExistsError
from freezepack.nn.record import FreezeRecord
from freezepack.pack.packer import pack_arrays
from freezepack.train.checkpoint import Checkpoint, save_checkpoint
from freezepack.types import DType, TensorSpec

CASE = Case("digits", "lenet-300-100", "digits", 20, 3.0)


def checkpoint(path: Path) -> None:
    mask = np.zeros((300, 784), np.bool_)
    mask[::3, ::97] = True
    weight = torch.zeros(300, 784)
    weight[torch.from_numpy(mask)] = torch.linspace(-1, 1, int(mask.sum()))
    state = {"fc1.weight": weight, "fc1.bias": torch.linspace(0, 1, 300)}
    record = FreezeRecord("zeros", 1, "0.99", "snip", masks={"fc1.weight": mask})
    save_checkpoint(path, Checkpoint("lenet-300-100", {}, record, state))


def test_masks_are_measured_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "CASES", (CASE,))
    options = ["--seeds", "1,2", "--rate", "0.999", "--cache", str(tmp_path / "masks")]
    done = CliRunner().invoke(bench, ["size", "-o", str(tmp_path / "out"), *options])
    assert done.exit_code == 0, done.output
    names = ["size-masks.csv", "size-masks.md", "size-decoding.csv", "size-decoding.md"]
    assert done.stdout.splitlines() == [str(tmp_path / "out" / name) for name in names]
    lines = (tmp_path / "out" / "size-masks.csv").read_text().splitlines()
    assert lines[0].startswith("network,freezing_rate,seed,weights,trained,kind,coder,base,bytes")
    assert lines[1].startswith("digits,0.999,1,266200,266,bound,n H(k/n),,379,0,11.4")
    assert "- seeds: 1, 2" in (tmp_path / "out" / "size-masks.md").read_text()


def test_a_table_is_replaced_only_with_force(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    checkpoint(tmp_path / "model.pt")
    (tmp_path / "size-files.md").write_text("mine")
    command = ["size", "--no-masks", str(tmp_path / "model.pt"), "-o", str(tmp_path)]
    refused = CliRunner().invoke(bench, command)
    assert isinstance(refused.exception, OutputExistsError)
    assert (tmp_path / "size-files.md").read_text() == "mine"
    done = CliRunner().invoke(bench, [*command, "--force"])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "size-files.md").read_text()
    assert ": 942,000 bytes of tensors" in page
    assert "| dense safetensors | no | 942,1" in page
    assert "| pack, small | no |" in page


def test_a_pack_is_measured_by_part(tmp_path: Path) -> None:
    spec = TensorSpec("w", (4,), DType.float32)
    raw = np.arange(4, dtype=np.uint32)
    (tmp_path / "a.fpk").write_bytes(b"".join(pack_arrays({"w": (spec, raw)}).pieces))
    command = ["size", "--no-masks", str(tmp_path / "a.fpk"), "-o", str(tmp_path)]
    assert CliRunner().invoke(bench, command).exit_code == 0
    header, row = (tmp_path / "size-files.csv").read_text().splitlines()
    facts = dict(zip(header.split(","), row.split(","), strict=True))
    parts = ["preamble", "metadata", "kinds", "tensors", "digests", "index", "values"]
    assert sum(int(facts[part]) for part in parts) == int(facts["bytes"])
    assert facts["bytes"] == str((tmp_path / "a.fpk").stat().st_size)


@pytest.mark.parametrize("text", ["", "1,,2", "-1", "a", str(2**64)])
def test_seeds_that_are_no_numbers_are_refused(text: str) -> None:
    done = CliRunner().invoke(bench, ["size", "--seeds", text])
    assert done.exit_code == 2
    assert "is not a list of whole numbers like 1,2,3" in done.output
