"""An index is answered from the units that hold the answer, and from no others."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from freezepack import native
from freezepack.errors import LimitError
from freezepack.format.reader import PackReader
from freezepack.format.tables import TensorRecord
from freezepack.pack.claims import Claim
from freezepack.pack.packer import pack_arrays
from freezepack.random import fill_raw, make_init
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import DType, RawArray, SeedBase, TensorSpec

SPEC = TensorSpec("w", (1100, 2, 1000), DType.float32)
"""Three units."""


def packed(index: str, spec: TensorSpec = SPEC) -> tuple[RawArray, bytes]:
    """Return a tensor of which every 97th element is trained, and its pack."""
    raw = np.empty(spec.size, spec.dtype.raw)
    init = make_init("normal", 0.5)
    fill_raw(raw, spec.dtype, key=4, init=init)
    raw[::97] ^= 1
    claim = Claim(SeedBase(4), init)
    pack = pack_arrays({"w": (spec, raw)}, claims={"w": claim}, index=index)
    return raw.reshape(spec.shape), b"".join(pack.pieces)


@pytest.fixture(scope="module", params=["gaps", "bitmap", "hazard"])
def pack(request: pytest.FixtureRequest) -> tuple[RawArray, bytes]:
    return packed(request.param)


INDICES: list[Any] = [
    ...,
    5,
    (7, 1, 3),
    (slice(None), 1),
    (slice(None), 0, slice(0, 10)),
    (slice(900, 3, -70), slice(None), slice(None, None, -300)),
    (slice(520, 530), slice(1, 2)),
    slice(3, 3),
    (slice(2, 4), slice(None), slice(0, 0)),
]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("index", INDICES, ids=str)
def test_a_part_is_what_numpy_takes(pack: tuple[RawArray, bytes], index: Any, threads: int) -> None:
    raw, data = pack
    before = native.get_num_threads()
    native.set_num_threads(threads)
    found = Rebuilder(PackReader(data)).part("w", index)
    native.set_num_threads(before)
    wanted = raw[index]
    assert found.shape == wanted.shape
    assert found.flags.c_contiguous
    assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("index", "units"),
    [((slice(0, 500), 1, 3), [0]), (slice(523, 525), [0, 1]), (slice(None, None, -1099), [0, 2])],
)
def test_units_beside_the_answer_are_not_read(
    pack: tuple[RawArray, bytes], monkeypatch: pytest.MonkeyPatch, index: Any, units: list[int]
) -> None:
    made = Rebuilder(PackReader(pack[1]))
    assert made.record("w").layout.unit_positions == 524 * 2000
    read = []
    sections = made.reader.sections

    def spy(record: TensorRecord, unit: int) -> tuple[memoryview, memoryview]:
        read.append(unit)
        return sections(record, unit)

    monkeypatch.setattr(made.reader, "sections", spy)
    assert made.part("w", index).tolist() == pack[0][index].tolist()
    assert sorted(read) == units


def test_a_column_takes_memory_for_one_unit() -> None:
    spec = TensorSpec("w", (20_000, 1000), DType.uint8)
    raw = np.zeros(spec.size, np.uint8)
    raw[::1009] = 1
    data = b"".join(pack_arrays({"w": (spec, raw)}, index="fast").pieces)
    before = native.get_num_threads()
    native.set_num_threads(1)
    made = Rebuilder(PackReader(data))
    tracemalloc.start()
    column = made.part("w", (slice(None), 9))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    native.set_num_threads(before)
    assert column.tolist() == raw.reshape(spec.shape)[:, 9].tolist()
    assert peak < 5_000_000


def test_the_limit_counts_the_answer() -> None:
    _, data = packed("gaps", TensorSpec("w", (1000, 1000), DType.float32))
    made = Rebuilder(PackReader(data), max_bytes=4000)
    assert made.part("w", (slice(None), 7)).size == 1000
    with pytest.raises(LimitError, match="8,000 bytes when rebuilt"):
        made.part("w", (slice(None), slice(2)))
