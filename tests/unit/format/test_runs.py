import zlib

import pytest

from freezepack.format.reader import PackReader
from freezepack.format.runs import RunCounter
from freezepack.format.writer import EncodedPack, EncodedTensor, EncodedUnit, write_pack
from freezepack.types import DType, TensorSpec, ZerosBase

JOINT, GRID = 15, 4
STEP = b"\x80\x3f"
MOST = 2**20


def shared(name: str, *sections: bytes, shape: tuple[int, ...] = (4,)) -> EncodedTensor:
    """Return a tensor in a run, with the sections that its record has."""
    units = tuple(EncodedUnit(0, b"", section) for section in sections)
    spec = TensorSpec(name, shape, DType.float32)
    return EncodedTensor(spec, ZerosBase(), None, JOINT, GRID, units, 0, parameter=STEP)


def stored(name: str, data: bytes) -> EncodedTensor:
    spec = TensorSpec(name, (len(data),), DType.uint8)
    return EncodedTensor(spec, ZerosBase(), None, 1, 0, (EncodedUnit(len(data), b"", data),), 0)


def read(*tensors: EncodedTensor, coded: bool | None = None) -> PackReader:
    return PackReader(b"".join(write_pack(EncodedPack(tensors, coded=coded))))


def test_a_run_ends_with_its_last_position_and_its_255th_tensor() -> None:
    counter = RunCounter()
    assert [counter.begins(size) for size in (MOST - 1, 1, 1, MOST, 1)] == [1, 0, 1, 1, 1]
    counter = RunCounter()
    begins = [counter.begins(1) for _ in range(600)]
    assert [place for place, begin in enumerate(begins) if begin] == [0, 255, 510]


def test_a_large_tensor_does_not_end_a_run() -> None:
    counter = RunCounter()
    assert [counter.begins(size) for size in (10, MOST + 1, 10)] == [True, True, False]


@pytest.mark.parametrize("coded", [True, False])
def test_only_the_first_of_a_run_has_a_section(coded: bool) -> None:
    reader = read(
        shared("a", b"abc"), stored("b", b"stored"), shared("c", b""), shared("d", b""), coded=coded
    )
    header = reader.header
    (run,) = header.runs
    assert (run.names, run.unit, run.length, run.checksum) == (("a", "c", "d"), 0, 3, None)
    assert bytes(reader.run_section(run)) == b"abc"
    places = {name: record.first_run for name, record in header.tensors.items()}
    assert places == {"a": 0, "b": None, "c": 0, "d": 0}
    assert [record.trained for record in header.tensors.values()] == [None, 6, None, None]
    assert [record.nbytes for record in header.tensors.values()] == [3, 6, 0, 0]
    assert header.sizes["values"] == 9
    sections = [bytes(reader.sections(record, 0)[1]) for record in header.tensors.values()]
    assert sections == [b"abc", b"stored", b"", b""]


def test_each_unit_of_a_large_tensor_is_a_run_between_those_of_others() -> None:
    reader = read(
        shared("a", b"first"), shared("b", b"b0", b"", b"b2", shape=(3, MOST)), shared("c", b"")
    )
    runs = reader.header.runs
    assert [(run.names, run.unit, bytes(reader.run_section(run))) for run in runs] == [
        (("a", "c"), 0, b"first"), (("b",), 0, b"b0"), (("b",), 1, b""), (("b",), 2, b"b2"),
    ]  # fmt: skip
    assert reader.header.tensors["b"].first_run == 1
    assert reader.header.tensors["b"].layout.units == 3


def test_runs_of_a_large_payload_have_checksums() -> None:
    reader = read(shared("a", b"run"), shared("b", b""), stored("c", bytes(70_000)))
    (run,) = reader.header.runs
    assert run.checksum == zlib.crc32(b"run")
    assert bytes(reader.run_section(run)) == b"run"


def test_a_section_that_is_not_the_runs_is_not_written() -> None:
    with pytest.raises(ValueError, match="values of 'b': 1 bytes, expected 0"):
        write_pack(EncodedPack([shared("a", b"run"), shared("b", b"x")]))
    with pytest.raises(ValueError, match="0 of 0 are trained, which joint may not code"):
        write_pack(EncodedPack([shared("a", shape=(0,))]))


def test_the_length_of_a_last_run_costs_a_bit() -> None:
    sizes = []
    for section in (b"x", b"x" * 200, b"x" * 20_000):
        data = b"".join(write_pack(EncodedPack([shared("a", section)])))
        sizes.append(len(data) - len(section))
    assert sizes[0] == sizes[1] == sizes[2]
