"""What is resident at most while packs are opened and loaded, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import freezepack.numpy
import freezepack.random
from freezepack.format.layout import layout_of
from freezepack.format.writer import EncodedPack, EncodedTensor, EncodedUnit, write_pack
from freezepack.random import make_init
from freezepack.types import DType, SeedBase, TensorSpec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SIDE = 5000
MODEL = 4 * SIDE * SIDE
PROGRAM = """
import sys
from pathlib import Path

def status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))

{prepare}
before = status("VmRSS")
try:
    Path("/proc/self/clear_refs").write_text("5")
except OSError:
    pass  # the peak then includes what was before
{call}
print(status("VmHWM") - before)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a pack of 100 MB lies, and one of 100 bytes that promises 100 GB."""
    made = tmp_path_factory.mktemp("packs")
    weights = np.empty((SIDE, SIDE), np.float32)
    freezepack.random.fill(weights, seed=1, draw="normal", scale=0.02)
    weights[:, ::100] = 1.0
    options = {"seed": 1, "init": {"weight": ("normal", 0.02)}, "index": "fast"}
    data = freezepack.numpy.save({"weight": weights}, **options)  # type: ignore[arg-type]
    (made / "model.fpk").write_bytes(data)
    spec = TensorSpec("weight", (2_500_000, 10_000), DType.float32)
    units = (EncodedUnit(0),) * layout_of(spec.shape).units
    tensor = EncodedTensor(spec, SeedBase(1), make_init("normal", 0.02), 0, 0, units, 0)
    claim = b"".join(write_pack(EncodedPack([tensor])))
    assert len(claim) < 100
    (made / "claim.fpk").write_bytes(claim)
    return made


def growth(folder: Path, prepare: str, call: str) -> int:
    program = PROGRAM.format(prepare=prepare, call=call)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return int(done.stdout)


@pytest.mark.parametrize(
    ("call", "most"),
    [
        ("freezepack.open('claim.fpk')", 4e6),
        ("freezepack.open('claim.fpk').get_slice('weight')[10**6]", 4e6),
        ("freezepack.open('model.fpk').get_slice('weight')[7]", 6e6),
        ("freezepack.open('model.fpk').get_slice('weight')[:, 3]", 25e6),
        ("held = freezepack.open('model.fpk').get_slice('weight')[:2500]", 0.65 * MODEL),
        ("held = freezepack.open('model.fpk').get_tensor('weight')", 1.15 * MODEL),
        ("held = freezepack.numpy.load_file('model.fpk')", 1.15 * MODEL),
    ],
)
def test_memory_is_taken_for_what_is_asked_for(folder: Path, call: str, most: float) -> None:
    assert growth(folder, "import freezepack, freezepack.numpy", call) < most


@pytest.mark.slow
def test_a_model_is_filled_without_a_second_copy(folder: Path) -> None:
    prepare = f"import torch, freezepack.torch\nmodel = torch.nn.Linear({SIDE}, {SIDE}, bias=False)"
    call = "freezepack.torch.load_into(model, 'model.fpk')"
    assert growth(folder, prepare, call) < 0.3 * MODEL


@pytest.mark.slow
def test_tensors_of_torch_are_made_once(folder: Path) -> None:
    call = "held = freezepack.torch.load_file('model.fpk')"
    assert growth(folder, "import freezepack.torch", call) < 1.15 * MODEL
