"""Every back end makes the same bits."""

import numpy as np
import pytest

from freezepack.errors import FreezepackError, UnknownNameError
from freezepack.format.reader import PackReader
from freezepack.pack.claims import Claim
from freezepack.pack.packer import pack_arrays
from freezepack.random import make_init
from freezepack.rebuild import BACKENDS, choose_backend
from freezepack.rebuild.backend import Backend
from freezepack.rebuild.host import NATIVE, NUMPY
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import Draw, DType, SeedBase, TensorSpec

FLOATS = [DType.float32, DType.float16, DType.bfloat16, DType.float64]


@pytest.fixture(params=list(BACKENDS))
def backend(request: pytest.FixtureRequest) -> Backend:
    found: Backend = BACKENDS.get_part(request.param)
    if found.problem():
        pytest.skip(found.problem())
    return found


def test_a_backend_has_the_name_of_its_line(backend: Backend) -> None:
    assert choose_backend(backend.name) is backend


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("draw", list(Draw))
def test_bases_are_those_of_the_reference(backend: Backend, draw: Draw, dtype: DType) -> None:
    cut = 1.5 if draw == Draw.truncated_normal else None
    init = make_init(draw, 0.25, stream=2**62 + 1, cut=cut)
    for start, size in [(0, 1), (1, 4099), (2**32 - 5, 11), (2**40 + 3, 1000)]:
        out, wanted = np.empty(size, dtype.raw), np.empty(size, dtype.raw)
        backend.fill(out, dtype, key=2**64 - 1, init=init, start=start)
        NUMPY.fill(wanted, dtype, key=2**64 - 1, init=init, start=start)
        assert out.tobytes() == wanted.tobytes()


def test_a_base_has_the_values_of_the_specification(backend: Backend) -> None:
    out = np.empty(3, np.uint32)
    backend.fill(out, DType.float32, key=0, init=make_init("normal", 1.0), start=0)
    expected = [-0.8433289527893066, -0.15030527114868164, 0.3375425338745117]
    assert out.view(np.float32).tolist() == expected


@pytest.mark.parametrize("dtype", [DType.uint8, DType.float16, DType.float64, DType.complex128])
def test_a_patch_replaces_the_positions_and_nothing_else(backend: Backend, dtype: DType) -> None:
    raw = np.zeros(5 * dtype.itemsize, np.uint8).view(dtype.raw)
    values = np.full(2 * dtype.itemsize, 0xFF, np.uint8).view(dtype.raw)
    backend.patch(raw, np.array([1, 4], np.uint32), values)
    bits = raw.view(np.uint8).reshape(5, -1)
    assert bits.min(axis=1).tolist() == [0, 255, 0, 0, 255]
    assert bits.max(axis=1).tolist() == [0, 255, 0, 0, 255]


def test_digests_are_those_of_the_specification(backend: Backend) -> None:
    assert backend.digest(np.frombuffer(b"abc", np.uint8)) == 0x243C125AA37010A4
    counted = np.tile(np.arange(256, dtype=np.uint8), 20)
    assert backend.digest(counted) == 0x97951969CD32D01D
    assert backend.digest(counted.view("<u8")) == 0x97951969CD32D01D
    assert backend.digest(np.zeros(0, "<u4")) == 0


def test_a_pack_is_rebuilt_to_the_same_bits(backend: Backend) -> None:
    spec = TensorSpec("w", (60, 50), DType.bfloat16)
    init = make_init("uniform", 0.5)
    raw = np.empty(spec.size, spec.dtype.raw)
    NUMPY.fill(raw, spec.dtype, key=3, init=init, start=0)
    raw[::40] = 0x7FC1
    packed = pack_arrays({"w": (spec, raw)}, claims={"w": Claim(SeedBase(3), init)})
    with PackReader(b"".join(packed.pieces)) as reader:
        rebuilder = Rebuilder(reader, backend=backend.name)
        assert rebuilder.tensor("w").tolist() == raw.tolist()


def test_the_environment_names_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZEPACK_BACKEND", "numpy")
    assert choose_backend() is NUMPY
    monkeypatch.setenv("FREEZEPACK_BACKEND", "numby")
    with pytest.raises(UnknownNameError, match=r"no backend named 'numby'\. Did you mean 'numpy'"):
        choose_backend()


def test_without_the_kernel_the_reference_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FREEZEPACK_BACKEND", raising=False)
    monkeypatch.setenv("FREEZEPACK_NATIVE", "0")
    assert choose_backend() is NUMPY
    assert NATIVE.problem() == "FREEZEPACK_NATIVE=0 is set"
    with pytest.raises(FreezepackError, match="'native' is not available: FREEZEPACK_NATIVE=0"):
        choose_backend("native")
