from unittest import mock

import numpy as np
import pytest

import freezepack
from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.grid.step import Step
from freezepack.codecs.joint import decode_joint
from freezepack.errors import CorruptError, LimitError
from freezepack.format.reader import PackReader
from freezepack.pack.packer import Packed, pack_arrays
from freezepack.rebuild import runs
from freezepack.rebuild.changed import count_changed
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.rebuild.runs import RunDecoder
from freezepack.types import DType, RawArray, TensorSpec
from tests.robustness.surgery import seal_coded, take_coded_apart

DECODE = "freezepack.rebuild.runs.decode_joint"
QUARTER = Step(1, 0, 0x3E800000)


def pack(size: int = 40) -> tuple[dict[str, RawArray], Packed]:
    """Return tensors on a grid of 1/4, a fifth of them not 0, and a pack with one run."""
    rng = np.random.default_rng(1)
    arrays, codecs = {}, {}
    for name in "abc":
        levels = np.rint(rng.normal(size=(size, 5))) * (rng.random((size, 5)) < 0.2)
        raw = (levels.astype(np.float32) / 4 + np.float32(0)).view(np.uint32).reshape(-1)
        arrays[name] = TensorSpec(name, levels.shape, DType.float32), raw
        codecs[name] = Grid(QUARTER)
    packed = pack_arrays(arrays, codecs=codecs, index="joint")
    return {name: raw for name, (_, raw) in arrays.items()}, packed


def rebuilder(packed: Packed) -> Rebuilder:
    return Rebuilder(PackReader(b"".join(packed.pieces)))


def test_all_tensors_of_a_run_are_decoded_at_once() -> None:
    arrays, packed = pack()
    made = rebuilder(packed)
    with mock.patch(DECODE, wraps=decode_joint) as decode:
        for name, raw in arrays.items():
            assert np.array_equal(made.tensor(name), raw)
            assert np.array_equal(made.elements(name, 7, 90), raw[7:90])
            assert made.count_trained(made.record(name)) == np.count_nonzero(raw)
            assert count_changed(made, name) == np.count_nonzero(raw)
    assert decode.call_count == 1


def test_counting_is_held_to_the_limit_of_making() -> None:
    _, packed = pack()
    made = Rebuilder(PackReader(b"".join(packed.pieces)), max_bytes=799)
    with pytest.raises(LimitError, match="800 bytes when rebuilt, more than max_bytes = 799"):
        made.count_trained(made.record("a"))


def test_only_the_last_runs_are_remembered() -> None:
    arrays, packed = pack(size=110_000)
    made = rebuilder(packed)
    assert [run.names for run in made.header.runs] == [("a",), ("b",), ("c",)]
    decoder = RunDecoder(made.reader, made.base_of)
    with (
        mock.patch(DECODE, wraps=decode_joint) as decode,
        mock.patch.object(runs, "KEPT", 2),
    ):
        for name in "abcbca":
            found = decoder.levels(made.record(name), 0)
            assert found.positions.size == np.count_nonzero(arrays[name])
    assert decode.call_count == 4


def test_slices_of_a_run_are_those_of_the_tensor() -> None:
    arrays, packed = pack()
    with freezepack.open(b"".join(packed.pieces)) as file:
        whole = arrays["b"].view(np.float32).reshape(40, 5)
        assert np.array_equal(file.get_slice("b")[3:9, 2:], whole[3:9, 2:])
        assert np.array_equal(file.get_tensors()["c"], arrays["c"].view(np.float32).reshape(40, 5))


def test_a_broken_run_names_its_first_tensor() -> None:
    _, packed = pack()
    stream, digest, payload = take_coded_apart(b"".join(packed.pieces))
    broken = Rebuilder(PackReader(seal_coded(stream, payload[:-1] + b"\0", digest)))
    for _ in range(2):
        with pytest.raises(CorruptError, match="values of 'a' at byte"):
            broken.tensor("c")


def test_a_tensor_that_is_alone_is_in_no_run() -> None:
    spec = TensorSpec("w", (2,), DType.uint8)
    made = rebuilder(pack_arrays({"w": (spec, np.array([1, 2], np.uint8))}))
    assert made.count_trained(made.record("w")) == 2
    with pytest.raises(ValueError, match="'w' is in no run"):
        made.runs.levels(made.record("w"), 0)
