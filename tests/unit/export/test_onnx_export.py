"""A pack becomes an ONNX file that was run before it appeared, or none at all."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

import freezepack.torch
from freezepack.errors import CheckpointError, OutputExistsError, VerificationError
from freezepack.export import EXPORTERS
from freezepack.export.onnx_export import ExportOptions, export_onnx
from freezepack.export.onnx_valid import open_session
from freezepack.models import MODELS
from freezepack.models.build import build_model


def net() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 4))


INPUTS = torch.linspace(-1, 1, 40).reshape(2, 20)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("external", [False, True])
def test_the_file_computes_what_torch_computes(tmp_path: Path, external: bool) -> None:
    module = net().train()
    data = freezepack.torch.save(module.state_dict(), {"licence": "MIT", "accuracy": "0.5"})
    path = tmp_path / "m.onnx"
    options = ExportOptions(external=external)
    done = export_onnx(module, data, INPUTS, path, options=options, data={"mine": [(INPUTS,)]})
    assert names(tmp_path) == (["m.onnx", "m.onnx.data"] if external else ["m.onnx"])
    assert done.sizes == {name: (tmp_path / name).stat().st_size for name in names(tmp_path)}
    assert [(c.name, c.examples, c.equal) for c in done.comparisons] == [
        ("random inputs", 17, 17),
        ("mine", 2, 2),
    ]
    assert all(found.relative < 1e-6 for found in done.comparisons)
    assert module.training
    outputs = open_session(path).run(None, {"input": INPUTS.numpy()})[0]
    assert np.allclose(outputs, module.eval()(INPUTS).detach().numpy(), atol=1e-6)
    texts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert set(texts) == {"freezepack.accuracy", "freezepack.digest", "freezepack.licence"}
    assert texts["freezepack.licence"] == "MIT"


class Fixed(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values.reshape(2, 4)


def test_a_network_for_one_batch_length_leaves_no_file(tmp_path: Path) -> None:
    data = freezepack.torch.save({})
    with pytest.raises(CheckpointError, match="torch cannot"):
        export_onnx(Fixed(), data, torch.zeros(2, 4), tmp_path / "m.onnx")
    assert names(tmp_path) == []


def test_a_difference_beyond_the_bound_leaves_the_old_file(tmp_path: Path) -> None:
    module = net()
    data = freezepack.torch.save(module.state_dict())
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    with pytest.raises(OutputExistsError):
        export_onnx(module, data, INPUTS, path)
    options = ExportOptions(bound=0.0, force=True)
    with pytest.raises(VerificationError, match=r"differ by .*; 0 is allowed"):
        export_onnx(module, data, INPUTS, path, options=options)
    assert (names(tmp_path), path.read_bytes()) == (["m.onnx"], b"old")


def test_the_way_to_make_a_compact_model_is_open(tmp_path: Path) -> None:
    module = net()
    seen = []

    def mark(model: onnx.ModelProto, file: object) -> onnx.ModelProto:
        seen.append(all(tensor.raw_data for tensor in model.graph.initializer))
        return model

    options = ExportOptions(compact=mark, metadata=False)
    data = freezepack.torch.save(module.state_dict())
    export_onnx(module, data, INPUTS, tmp_path / "m.onnx", options=options)
    assert seen == [True]
    assert not onnx.load(tmp_path / "m.onnx").metadata_props


def test_the_exporter_is_in_the_registry() -> None:
    assert EXPORTERS.get_part("onnx") is export_onnx


def test_no_example_inputs_is_an_error(tmp_path: Path) -> None:
    data = freezepack.torch.save(net().state_dict())
    with pytest.raises(CheckpointError, match="needs example inputs"):
        export_onnx(net(), data, None, tmp_path / "m.onnx")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_two_gigabytes_get_a_file_of_their_own(tmp_path: Path) -> None:
    module = nn.Linear(1 << 14, (1 << 15) + 4, bias=False, device="meta")
    state = {"weight": np.zeros(((1 << 15) + 4, 1 << 14), np.float32)}
    state["weight"][-1, -1] = 1
    import freezepack.numpy

    data = freezepack.numpy.save(state)
    example = torch.zeros(1, 1 << 14, device="meta")
    done = export_onnx(module, data, example, tmp_path / "m.onnx", options=ExportOptions(run=False))
    assert list(done.sizes) == ["m.onnx.data", "m.onnx"]
    assert done.sizes["m.onnx.data"] == ((1 << 15) + 4) << 16


@pytest.mark.slow
@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_of_the_zoo_runs_as_in_torch(tmp_path: Path, name: str, fold: bool) -> None:
    module = build_model(name)
    for key, buffer in module.named_buffers():
        if key.endswith("running_mean"):
            nn.init.normal_(buffer)
        if key.endswith("running_var"):
            nn.init.uniform_(buffer, 0.5, 2)
    data = freezepack.torch.save(module.state_dict(), {"architecture": name})
    options = ExportOptions(fold=fold)
    done = export_onnx(None, data, None, tmp_path / "m.onnx", options=options)
    assert done.comparisons[0].examples == 17
    assert done.comparisons[0].relative < 1e-5
    norms = sum(isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in module.modules())
    assert (done.folded > 0) == (fold and norms > 0)
