from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from freezepack.codecs.base import ValueCodec
from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.grid.step import Step
from freezepack.format.reader import PackReader
from freezepack.pack.claims import Claim
from freezepack.pack.packer import Packed, pack_arrays
from freezepack.random import fill_raw, make_init
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import DType, RawArray, SeedBase, TensorSpec

ONE = Step(1, 0, 0x3F800000)
Arrays = dict[str, tuple[TensorSpec, RawArray]]
CODECS: dict[str, ValueCodec] = {"a": Grid(ONE), "b": Grid(ONE)}


def levels(size: tuple[int, ...], share: float = 0.2) -> NDArray[np.int64]:
    rng = np.random.default_rng(5)
    return np.where(rng.random(size) < share, rng.integers(1, 4, size), 0)


def arrays_of(**found: NDArray[np.int64]) -> Arrays:
    """Return tensors whose values are integers."""
    made: Arrays = {}
    for name, numbers in found.items():
        raw = numbers.astype(np.float32).reshape(-1).view(np.uint32)
        made[name] = TensorSpec(name, numbers.shape, DType.float32), raw
    return made


def check(packed: Packed, arrays: Arrays) -> None:
    made = Rebuilder(PackReader(b"".join(packed.pieces)))
    for name, (_, raw) in arrays.items():
        assert np.array_equal(made.tensor(name), raw)


def codecs_of(packed: Packed) -> dict[str, tuple[str, str]]:
    return {tensor.name: (tensor.index, tensor.values) for tensor in packed.report.tensors}


def test_values_on_grids_share_a_section_where_that_is_smaller() -> None:
    arrays = arrays_of(a=levels((30, 40)), b=levels((30,), 1.0))
    packed = pack_arrays(arrays, codecs=CODECS)
    assert codecs_of(packed) == {"a": ("joint", "grid"), "b": ("joint", "grid")}
    alone = pack_arrays(arrays, codecs=CODECS, index="probit")
    assert packed.report.nbytes < alone.report.nbytes
    assert [tensor.trained for tensor in packed.report.tensors] == [
        np.count_nonzero(raw) for _, raw in arrays.values()
    ]
    check(packed, arrays)


def test_a_tensor_without_a_grid_stays_out() -> None:
    arrays = arrays_of(a=levels((30, 40)), b=levels((30, 20)))
    packed = pack_arrays(arrays, codecs={"a": Grid(ONE)})
    assert codecs_of(packed)["a"] == ("joint", "grid")
    assert codecs_of(packed)["b"][1] == "float"
    check(packed, arrays)


def test_a_tensor_in_which_nothing_is_trained_joins_at_no_cost() -> None:
    arrays = arrays_of(a=levels((30, 40)), b=np.zeros((50, 60), np.int64))
    packed = pack_arrays(arrays, codecs={"a": Grid(ONE)})
    assert codecs_of(packed)["b"] == ("joint", "grid")
    only = pack_arrays({"a": arrays["a"]}, codecs={"a": Grid(ONE)})
    assert packed.report.nbytes - only.report.nbytes <= 7
    check(packed, arrays)


def test_a_trained_zero_keeps_a_tensor_out() -> None:
    """A run would say that the position is not trained."""
    arrays = arrays_of(a=levels((30, 40)))
    mask = levels((30, 40)) != 0
    mask.reshape(-1)[np.flatnonzero(~mask)[0]] = True
    packed = pack_arrays(arrays, claims={"a": Claim(mask=mask)}, codecs=CODECS, index="joint")
    assert codecs_of(packed)["a"][0] != "joint"
    claims = {"a": Claim(mask=levels((30, 40)) != 0)}
    packed = pack_arrays(arrays, claims=claims, codecs=CODECS, index="joint")
    assert codecs_of(packed)["a"] == ("joint", "grid")


@pytest.mark.parametrize("index", ["fast", "gaps"])
def test_other_choices_do_not_share(index: str) -> None:
    arrays = arrays_of(a=levels((30, 40)))
    assert codecs_of(pack_arrays(arrays, codecs=CODECS, index=index))["a"][0] != "joint"


def test_a_drawn_base_takes_part() -> None:
    init = make_init("normal", 0.05, stream=0)
    spec = TensorSpec("a", (40, 30), DType.float32)
    raw = np.empty(spec.size, np.uint32)
    fill_raw(raw, spec.dtype, key=7, init=init)
    numbers = np.empty(spec.size, np.uint32)
    fill_raw(numbers, spec.dtype, key=7, init=replace(init, bits=ONE.bits))
    integers = numbers.view(np.float32).astype(np.int32)
    mask = levels((40, 30)).reshape(-1) != 0
    step = Step(200, 14, init.bits)
    raw[mask] = step.bits_of(levels((40, 30)).reshape(-1)[mask], integers[mask], spec.dtype)
    claims = {"a": Claim(SeedBase(7), init, mask.reshape(spec.shape))}
    packed = pack_arrays({"a": (spec, raw)}, claims=claims, codecs={"a": Grid(step)}, index="joint")
    assert codecs_of(packed)["a"] == ("joint", "grid")
    check(packed, {"a": (spec, raw)})


def test_a_large_tensor_has_a_section_for_each_unit() -> None:
    numbers = np.zeros((2, 2**19 + 1), np.int64)
    numbers[0, ::70_000] = 1
    numbers[1, 5:90_000:3000] = -2
    arrays = arrays_of(a=numbers, b=levels((4, 5)))
    packed = pack_arrays(arrays, codecs=CODECS, index="joint")
    runs = PackReader(b"".join(packed.pieces)).header.runs
    assert [(run.names, run.unit) for run in runs] == [
        (("a",), 0), (("a",), 1), (("b",), 0),
    ]  # fmt: skip
    check(packed, arrays)


def test_the_same_input_gives_the_same_bytes() -> None:
    arrays = arrays_of(a=levels((30, 40)), b=levels((30,), 1.0))
    first, second = (
        pack_arrays(found, codecs=CODECS)
        for found in (arrays, dict(reversed(list(arrays.items()))))
    )
    assert b"".join(first.pieces) == b"".join(second.pieces)
