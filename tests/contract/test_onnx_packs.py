"""The committed packs in onnxruntime-web: the predictions of torch on all test images of MNIST."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import freezepack
import freezepack.torch
from freezepack.export.compact import compact_model, two_file
from freezepack.export.onnx_dense import dense_model
from freezepack.models.build import build_model
from freezepack.train import load_data
from tests.contract.onnx_cases import LOADERS
from tests.published import PUBLISHED

ROOT = Path(__file__).parents[2]
PACKS = sorted((ROOT / "benchmarks" / "results" / "packs").glob("*.fpk"))
WEB = [place for place in os.environ.get("FREEZEPACK_ORT_WEB", "").split(os.pathsep) if place]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not WEB, reason="FREEZEPACK_ORT_WEB is not set; see onnx_runtimes.sh"),
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (PUBLISHED / "mnist").is_dir(),
        reason="MNIST is not here: set FREEZEPACK_DATA to the parent of mnist/",
    ),
]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[torch.Tensor, Path]:
    """All test images, normalised, and a file of them."""
    data = load_data("mnist", PUBLISHED, splits=("test",))
    found = data.batch(data.split("test"), slice(0, 10_000))[0]
    path = tmp_path_factory.mktemp("images") / "images.f32"
    found.contiguous().numpy().tofile(path)
    return found, path


def predict(files: list[Path], images: Path, packages: str) -> Any:
    """Return the classes that onnxruntime-web finds."""
    program = [shutil.which("node") or "node", str(ROOT / "benchmarks" / "onnx_web.mjs")]
    places = [packages, str(LOADERS / "loader.mjs"), "predict", "+".join(map(str, files))]
    command = [*program, *places, f"[1,28,28]+{images}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.array(json.loads(done.stdout.splitlines()[-1])["classes"])


@pytest.mark.parametrize("pack", PACKS, ids=lambda path: path.stem)
def test_the_web_predicts_what_torch_predicts(
    pack: Path, images: tuple[torch.Tensor, Path], tmp_path: Path
) -> None:
    model = build_model("lenet5-caffe").eval()
    freezepack.torch.load_into(model, pack)
    with torch.no_grad():
        wanted = model(images[0]).argmax(1).numpy()
    with freezepack.open(pack) as file:
        dense = dense_model(file, lean=True)
        forms = {"compact": [compact_model(dense, file)]}
        if pack == PACKS[0]:
            forms["pair"] = list(two_file(dense, file))
    for name, models in forms.items():
        files = [tmp_path / f"{name}-{i}.onnx" for i in range(len(models))]
        for path, each in zip(files, models, strict=True):
            path.write_bytes(each.SerializeToString())
        # the newest of those named: old ones take no weights from outside
        assert np.array_equal(predict(files, images[1], WEB[-1]), wanted), name
