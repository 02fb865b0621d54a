import subprocess
import sys
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from freezepack.random import fill, fill_raw, make_init
from freezepack.types import DType

torch: Any = pytest.importorskip("torch")


def test_importing_fill_does_not_import_torch() -> None:
    code = "import sys; from freezepack.random import fill; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16", "float64"])
def test_torch_and_numpy_get_the_same_bits(name: str) -> None:
    dtype = DType[name]
    tensor = torch.empty(3, 5, dtype=getattr(torch, name))
    array = np.empty((3, 5), ml_dtypes.bfloat16 if name == "bfloat16" else name)
    raw = np.empty(15, dtype.raw)
    for out in (tensor, array):
        fill(out, seed=7, stream=2, draw="normal", scale=0.1, start=9)
    fill_raw(raw, dtype, key=7, init=make_init("normal", 0.1, stream=2), start=9)
    bits = tensor.view(getattr(torch, {2: "int16", 4: "int32", 8: "int64"}[dtype.itemsize]))
    assert bits.numpy().tobytes() == raw.tobytes()
    assert array.tobytes() == raw.tobytes()


def test_a_parameter_is_filled_in_place() -> None:
    weight = torch.nn.Parameter(torch.zeros(4))
    fill(weight, seed=1, draw="constant", scale=0.5)
    assert weight.tolist() == [0.5, 0.5, 0.5, 0.5]
    assert weight.requires_grad


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 1, 1)])
def test_any_shape_is_filled(shape: tuple[int, ...]) -> None:
    array = np.zeros(shape, np.float32)
    tensor = torch.zeros(shape)
    for out in (array, tensor):
        fill(out, seed=1, draw="sign", scale=2.0)
    assert tensor.tolist() == array.tolist()
    assert np.all(np.abs(array) == 2.0)


def test_a_slice_of_a_stream() -> None:
    whole, part = np.empty(20, np.float32), np.empty(6, np.float32)
    fill(whole, seed=3, draw="truncated_normal", cut=2.0)
    fill(part, seed=3, draw="truncated_normal", tail=195_422_145, start=7)
    assert part.tolist() == whole[7:13].tolist()


def test_numpy_integers_serve_as_seed_stream_and_start() -> None:
    found, expected = np.empty(9, np.float32), np.empty(9, np.float32)
    fill(found, seed=np.uint64(2**63 + 1), stream=np.int64(5), start=np.uint32(3))
    fill(expected, seed=2**63 + 1, stream=5, start=3)
    assert found.tolist() == expected.tolist()
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        fill(found, seed=1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("native", ["0", "1"])
def test_flushing_subnormals_changes_nothing(native: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", native)
    inits = [make_init("normal", 2.0**-105), make_init("constant", 2.0**-140)]
    for dtype in (DType.float32, DType.float16, DType.bfloat16, DType.float64):
        found, expected = np.empty(500, dtype.raw), np.empty(500, dtype.raw)
        for init in inits:
            fill_raw(expected, dtype, key=1, init=init)
            torch.set_flush_denormal(True)
            try:
                fill_raw(found, dtype, key=1, init=init)
            finally:
                torch.set_flush_denormal(False)
            assert found.tolist() == expected.tolist()


def test_other_types_are_refused() -> None:
    expected = "out has dtype int32, expected float32, float16, bfloat16, float64"
    with pytest.raises(ValueError, match=expected):
        fill(np.empty(3, np.int32), seed=0)
    with pytest.raises(ValueError, match="out has dtype complex64, expected float32"):
        fill(torch.empty(3, dtype=torch.complex64), seed=0)
    with pytest.raises(ValueError, match="out is a list, expected a numpy array or torch tensor"):
        fill([0.0], seed=0)
    with pytest.raises(ValueError, match="out has dtype >f4, expected native byte order"):
        fill(np.empty(3, ">f4"), seed=0)


def test_memory_that_cannot_be_written_in_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r"out is not contiguous: fill out\.contiguous"):
        fill(torch.empty(3, 5).t(), seed=0)
    with pytest.raises(ValueError, match="out is on meta, expected cpu"):
        fill(torch.empty(3, device="meta"), seed=0)
    with pytest.raises(ValueError, match="out is not contiguous and writeable: fill a copy"):
        fill(np.empty((3, 5), np.float32).T, seed=0)
    frozen = np.empty(3, np.float32)
    frozen.setflags(write=False)
    with pytest.raises(ValueError, match="out is not contiguous and writeable: fill a copy"):
        fill(frozen, seed=0)


def test_a_draw_that_float16_cannot_hold_is_refused_before_anything_is_written() -> None:
    out = np.zeros(3, np.float16)
    with pytest.raises(ValueError, match="float16 ends at 65504, but the uniform draw reaches"):
        fill(out, seed=0, draw="uniform", scale=1e6)
    assert out.tolist() == [0.0, 0.0, 0.0]
