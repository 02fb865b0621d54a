"""Ranges and whole packs come out as one tensor after the other does, in any number of threads."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from freezepack import native
from freezepack.codecs.base import ValueCodec
from freezepack.digest import digest
from freezepack.errors import CorruptError, LimitError
from freezepack.format.constants import UNIT_POSITIONS
from freezepack.format.reader import PackReader
from freezepack.format.writer import EncodedPack, EncodedTensor, EncodedUnit, write_pack
from freezepack.pack.claims import Claim
from freezepack.pack.lossy import round_values
from freezepack.pack.packer import pack_arrays
from freezepack.random import fill_raw, make_init
from freezepack.rebuild.host import HostBackend
from freezepack.rebuild.ranges import Range, fill_tensors, make_ranges
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import DType, RawArray, SeedBase, TensorSpec, ZerosBase

COLS = 400_000
UNIT = 2 * COLS
"""Positions of a unit of "big": the whole rows that 2**20 positions hold."""
KEY = SeedBase(3)
Arrays = dict[str, tuple[TensorSpec, RawArray]]


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = native.get_num_threads()
    native.set_num_threads(request.param)
    yield
    native.set_num_threads(before)


def seeded(name: str, shape: tuple[int, ...], trained: list[int]) -> tuple[Arrays, Claim]:
    spec = TensorSpec(name, shape, DType.float32)
    init = make_init("normal", 0.5, stream=len(name))
    raw = np.empty(spec.size, np.uint32)
    fill_raw(raw, spec.dtype, key=KEY.seed, init=init)
    raw[trained] ^= 1
    return {name: (spec, raw)}, Claim(KEY, init)


@pytest.fixture(scope="module")
def big() -> tuple[Arrays, bytes]:
    """Return three units, of which the middle one has nothing trained, and a small tensor."""
    assert UNIT < UNIT_POSITIONS < UNIT + COLS
    arrays, claim = seeded("big", (5, COLS), [5, UNIT - 1, 2 * UNIT, 2 * UNIT + 9])
    small, other = seeded("c", (7, 3), [0, 20])
    arrays |= small
    data = b"".join(pack_arrays(arrays, claims={"big": claim, "c": other}).pieces)
    return arrays, data


@pytest.mark.usefixtures("threads")
def test_all_tensors_are_made_in_file_order(big: tuple[Arrays, bytes]) -> None:
    arrays, data = big
    made = Rebuilder(PackReader(data)).tensors()
    assert list(made) == ["big", "c"]
    for name, raw in made.items():
        assert raw.tobytes() == arrays[name][1].tobytes()


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 0), (0, 6), (4, UNIT + 1), (UNIT - 1, 2 * UNIT + 1), (2 * UNIT + 9, 5 * COLS)],
)
def test_a_range_is_a_part_of_the_whole(big: tuple[Arrays, bytes], start: int, stop: int) -> None:
    arrays, data = big
    found = Rebuilder(PackReader(data)).elements("big", start, stop)
    assert found.tobytes() == arrays["big"][1][start:stop].tobytes()


def test_ranges_of_several_tensors_are_made_together(big: tuple[Arrays, bytes]) -> None:
    arrays, data = big
    made = Rebuilder(PackReader(data))
    patchers = {name: made.patcher(made.record(name)) for name in arrays}
    wanted = [Range(patchers["c"], 2, 5), Range.whole(patchers["big"])]
    found = make_ranges(wanted)
    assert found[0].tolist() == arrays["c"][1][2:5].tolist()
    assert digest(found[1]) == digest(arrays["big"][1])
    assert make_ranges([]) == []


@pytest.mark.parametrize(("size", "per_tensor"), [(20, False), (40_000, True)])
def test_each_digest_is_compared(size: int, per_tensor: bool) -> None:
    tensors = []
    for name, wrong in [("a", 0), ("b", 1)]:
        unit = EncodedUnit(size, b"", bytes(size))
        spec = TensorSpec(name, (size,), DType.uint8)
        found = digest(bytes(size)) + wrong
        tensors.append(EncodedTensor(spec, ZerosBase(), None, 1, 0, (unit,), found))
    made = Rebuilder(PackReader(b"".join(write_pack(EncodedPack(tensors)))))
    assert (made.header.digest is None) == per_tensor
    with pytest.raises(CorruptError, match="digest of 'b'" if per_tensor else "digest at"):
        made.tensors()


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", [DType.uint8, DType.float32, DType.complex128])
@pytest.mark.parametrize("shape", [(349_526, 3), (3, 524_289)])
def test_a_tile_may_lie_in_two_units(dtype: DType, shape: tuple[int, int]) -> None:
    spec = TensorSpec("w", shape, dtype)
    raw = np.zeros(spec.nbytes, np.uint8).view(dtype.raw)
    step = UNIT_POSITIONS // shape[1] * shape[1]
    assert step < spec.size
    assert step * dtype.itemsize % 4096
    raw.view(np.uint8)[:: 4097 * dtype.itemsize] = 7
    raw[step - 1 : step + 1] = raw[0]
    data = b"".join(pack_arrays({"w": (spec, raw)}, index="fast", values="raw").pieces)
    made = Rebuilder(PackReader(data))
    patcher = made.patcher(made.record("w"))
    out = np.empty(spec.size, dtype.raw)
    # A digest in one go knows no units.
    assert fill_tensors([patcher], [out]) == [digest(raw)]
    assert out.tobytes() == raw.tobytes()


@pytest.mark.parametrize(
    ("index", "values", "times"),
    [
        ("gaps", "raw", 1),
        ("bitmap", "float", 1),
        ("hazard", "raw", 1),
        ("hazard", "float", 1),
        ("gaps", "grid", 1),
        ("hazard", "grid", 2),
    ],
)
def test_a_base_is_generated_once(
    monkeypatch: pytest.MonkeyPatch, index: str, values: str, times: int
) -> None:
    spec = TensorSpec("w", (60, 500), DType.float32)
    init = make_init("normal", 0.5, stream=4)
    raw = np.empty(spec.size, np.uint32)
    fill_raw(raw, spec.dtype, key=3, init=init)
    raw.view(np.float32)[::50] += np.float32(0.25)
    mask = np.arange(spec.size) % 50 == 0
    claim = {"w": Claim(KEY, init, mask)}
    arrays: Arrays = {"w": (spec, raw)}
    codecs: Mapping[str, ValueCodec] = {}
    if values == "grid":
        rounded = round_values(arrays, claim, "grid:5")
        arrays, codecs, values = dict(rounded.arrays), rounded.codecs, "auto"
    packed = pack_arrays(arrays, claims=claim, index=index, values=values, codecs=codecs)
    drawn = []
    for name in ("fill", "rebuild"):
        plain = getattr(HostBackend, name)

        def spy(
            self: HostBackend, out: RawArray, *args: Any, plain: Any = plain, **options: Any
        ) -> Any:
            if options["init"] is not None:
                drawn.append(out.size)
            return plain(self, out, *args, **options)

        monkeypatch.setattr(HostBackend, name, spy)
    made = Rebuilder(PackReader(b"".join(packed.pieces))).tensors()["w"]
    assert drawn == [spec.size] * times
    assert made.tobytes() == arrays["w"][1].tobytes()


def test_digests_without_keeping_are_those_of_the_tensors(big: tuple[Arrays, bytes]) -> None:
    made = Rebuilder(PackReader(big[1]))
    patchers = [made.patcher(record) for record in made.header.tensors.values()]
    wanted = [digest(raw) for _, raw in big[0].values()]
    assert fill_tensors(patchers, [None, None]) == wanted
    out = np.empty(21, np.uint32)
    assert fill_tensors(patchers, [None, out]) == wanted
    assert out.tolist() == big[0]["c"][1].tolist()


def test_all_tensors_count_against_the_limit(big: tuple[Arrays, bytes]) -> None:
    total = 4 * (5 * COLS + 21)
    assert len(Rebuilder(PackReader(big[1]), max_bytes=total).tensors()) == 2
    with pytest.raises(LimitError, match=f"{total:,} bytes when rebuilt"):
        Rebuilder(PackReader(big[1]), max_bytes=total - 1).tensors()
