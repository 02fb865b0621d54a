import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from freezepack.errors import CheckpointError, UnknownNameError
from freezepack.export.architecture import build_from_metadata
from freezepack.export.pt2 import export_pt2

RUN = """
import sys, torch
sys.modules["freezepack"] = None
program = torch.export.load(sys.argv[1]).module()
torch.save(program(torch.load(sys.argv[2])), sys.argv[3])
"""


@pytest.mark.slow
def test_a_program_runs_without_freezepack_on_any_batch(tmp_path: Path) -> None:
    model = build_from_metadata({"architecture": "lenet-300-100"})
    (tmp_path / "model.pt2").write_bytes(export_pt2(model, torch.zeros(1, 1, 28, 28)))
    images = torch.linspace(-1, 1, 5 * 784).reshape(5, 1, 28, 28)
    torch.save(images, tmp_path / "in.pt")
    command = [sys.executable, "-c", RUN, "model.pt2", "in.pt", "out.pt"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert torch.equal(torch.load(tmp_path / "out.pt"), model(images))


def test_a_network_that_cannot_be_traced_is_refused() -> None:
    class Branches(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(CheckpointError, match="torch cannot export this network: "):
        export_pt2(Branches(), torch.zeros(1, 3))


def test_a_pack_without_architecture_names_the_way_out() -> None:
    with pytest.raises(CheckpointError, match=r"load_into\(model, path\)"):
        build_from_metadata({})


def test_metadata_chooses_among_known_models_only() -> None:
    with pytest.raises(UnknownNameError, match=r"no model named .os\.system."):
        build_from_metadata({"architecture": "os.system"})


@pytest.mark.parametrize("text", ["[1]", "{", '{"relu": [1]}', "null"])
def test_arguments_are_a_json_object_of_plain_values(text: str) -> None:
    with pytest.raises(CheckpointError, match="expected a JSON object"):
        build_from_metadata({"architecture": "lenet5-caffe", "architecture_arguments": text})
