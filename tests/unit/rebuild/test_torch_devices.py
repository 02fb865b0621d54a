"""Packs made by a back end of a device, here on the CPU: what is sent, and to where."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import freezepack.torch
from freezepack.digest import digest
from freezepack.errors import (
    CheckpointError,
    CorruptError,
    FormatError,
    LimitError,
    UnknownNameError,
)
from freezepack.handle import open_pack
from freezepack.nn.raw import raw_copy
from freezepack.random import make_init
from freezepack.rebuild.host import NUMPY
from freezepack.rebuild.torch_devices import jobs, rebuilder
from freezepack.rebuild.torch_devices.plain import TORCH
from freezepack.types import DType
from tests.conformance.vectors import REFUSED, golden, refused

Tensors = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: beside other processes, its threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the bytes of each array that is sent."""
    sizes: list[int] = []
    make = torch.from_numpy

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(torch, name)

        def from_numpy(self, array: Any) -> torch.Tensor:
            sizes.append(array.nbytes)
            return make(array)

    monkeypatch.setattr(jobs, "torch", Counting())
    monkeypatch.setattr(rebuilder, "torch", Counting())
    return sizes


def seeded(
    size: int, every: int, dtype: DType = DType.float32
) -> tuple[bytes, np.ndarray[Any, Any]]:
    """Return a pack whose every n-th element of a normal base is trained, and the bits."""
    init = make_init("normal", 0.5)
    raw = np.empty(size, dtype.raw)
    NUMPY.fill(raw, dtype, key=7, init=init, start=0)
    raw[::every] ^= dtype.raw.type(1)
    bits = torch.from_numpy(raw.view(f"i{dtype.itemsize}"))
    tensor = bits.view(getattr(torch, dtype.name)).view(-1, 500)
    return save(tensor), raw


def save(tensor: torch.Tensor) -> bytes:
    draws = {"weight": ("normal", 0.5)}
    return freezepack.torch.save({"weight": tensor}, seed=7, init=draws, index="fast", values="raw")


def load(data: bytes, **options: Any) -> Tensors:
    with open_pack(data, framework="torch", backend="torch", **options) as file:
        loaded: Tensors = file.get_tensors()
    return loaded


def test_positions_and_values_are_sent_and_nothing_else(sent: list[int]) -> None:
    data, raw = seeded(1_500_000, 100)
    assert raw_copy(load(data)["weight"]).tobytes() == raw.tobytes()
    assert sum(sent) == 15_000 * 8


@pytest.mark.parametrize("dtype", [DType.float32, DType.bfloat16])
def test_batches_and_runs_may_end_anywhere(
    monkeypatch: pytest.MonkeyPatch, sent: list[int], dtype: DType
) -> None:
    monkeypatch.setattr(jobs, "MOST_BYTES", 70_000)
    monkeypatch.setattr(jobs, "MOST_SPAN", 10)
    data, raw = seeded(2_500_000, 100, dtype)
    assert raw_copy(load(data)["weight"]).tobytes() == raw.tobytes()
    assert len(sent) == 3
    assert sum(sent) == pytest.approx(25_000 * (4 + dtype.itemsize), abs=100)


def test_units_that_are_wholly_trained_need_no_positions(sent: list[int]) -> None:
    _, raw = seeded(1_200_000, 10**9)
    raw[: 1 << 20] ^= 2
    tensor = torch.from_numpy(raw.view("f4")).view(-1, 500)
    assert raw_copy(load(save(tensor))["weight"]).tobytes() == raw.tobytes()
    assert 4_100_000 < sum(sent) < 4_200_000


def test_the_digest_is_that_of_the_patched_tensor() -> None:
    data, raw = seeded(50_000, 3)
    with open_pack(data, framework="torch", backend="torch") as file:
        there = file.rebuilder_on("cpu")
        assert there is not None
        found = there._make([there.record("weight")], [torch.empty(100, 500)])
    assert found == [digest(raw)]


def test_a_slice_is_patched_where_it_lies(sent: list[int]) -> None:
    data, raw = seeded(1_200_000, 100)
    with open_pack(data, framework="torch", backend="torch") as file:
        part = file.get_slice("weight")[2090:2105, 3:]
    wanted = raw.reshape(-1, 500)[2090:2105, 3:]
    assert raw_copy(part).tobytes() == wanted.tobytes()
    assert part.untyped_storage().nbytes() == wanted.nbytes
    # Two units: 15 rows with five trained elements each.
    assert sum(sent) <= 75 * 8 + 4 * 16


INDICES: list[Any] = [
    ...,
    5,
    (7, 3),
    (slice(None), 1),
    (slice(None, None, -700), slice(0, 10, 3)),
    (slice(2200, 3, -70), slice(None, None, -300)),
    (slice(2090, 2105), slice(1, 2)),
    (slice(0, 0, -1), slice(None)),
    (3, slice(5, 5)),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_a_slice_is_what_numpy_takes_and_counts_alone(index: Any) -> None:
    data, raw = seeded(1_200_000, 100)
    wanted = raw.reshape(-1, 500)[index]
    with open_pack(data, framework="torch", backend="torch", max_bytes=wanted.nbytes) as file:
        part = file.get_slice("weight")[index]
    assert tuple(part.shape) == wanted.shape
    assert raw_copy(part).tobytes() == wanted.tobytes()
    assert part.untyped_storage().nbytes() == wanted.nbytes
    if wanted.nbytes:
        with open_pack(data, framework="torch", backend="torch", max_bytes=1) as file:
            stand_in = file.get_slice("weight")
            with pytest.raises(LimitError, match=f"{wanted.nbytes:,} bytes when rebuilt"):
                stand_in[index]


def test_a_tensor_of_another_checkpoint_is_sent_whole_and_in_pieces(
    monkeypatch: pytest.MonkeyPatch, sent: list[int], tmp_path: Path
) -> None:
    monkeypatch.setattr(rebuilder, "_PIECE", 300)
    before = {"weight": torch.arange(2000, dtype=torch.float16).view(40, 50)}
    after = {"weight": before["weight"].clone()}
    after["weight"][7, 8] = -1.0
    freezepack.torch.save_file(before, tmp_path / "base.fpk")
    data = freezepack.torch.save(after, base=tmp_path / "base.fpk")
    loaded = load(data, base=tmp_path / "base.fpk")
    assert torch.equal(loaded["weight"], after["weight"])
    assert sent == [600] * 6 + [400]


def test_wide_and_odd_types_are_patched(sent: list[int]) -> None:
    state: Tensors = {
        "a": torch.zeros(3000, dtype=torch.complex128),
        "b": torch.zeros(3001, dtype=torch.bool),
        "c": torch.zeros(3001, dtype=torch.float8_e5m2),
    }
    state["a"][[5, 2999]] = torch.tensor(1.5 - 2.5j, dtype=torch.complex128)
    state["b"][[0, 1, 3000]] = True
    state["c"].view(torch.uint8)[[9, 3000]] = 0x81
    loaded = load(freezepack.torch.save(state))
    assert {name: raw_copy(x).tobytes() for name, x in loaded.items()} == {
        name: raw_copy(x).tobytes() for name, x in state.items()
    }


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use torch's integer operations on the CPU too, as on a device without Triton."""
    monkeypatch.setenv("FREEZEPACK_DEVICE_BACKEND", "torch")


def memory(model: nn.Module) -> list[int]:
    return [tensor.data_ptr() for tensor in model.state_dict().values()]


@pytest.mark.parametrize("backend", ["torch", "host", "numpy", None])
def test_a_model_is_filled_in_its_own_memory(backend: str | None) -> None:
    source, model = nn.Linear(30, 20), nn.Linear(30, 20)
    before = memory(model)
    versions = [parameter._version for parameter in model.parameters()]
    data = freezepack.torch.save(source.state_dict())
    assert freezepack.torch.load_into(model, data, backend=backend) == ([], [])
    assert memory(model) == before
    assert torch.equal(model.weight, source.weight)
    assert torch.equal(model.bias, source.bias)
    # What autograd has kept of the old weights is known to be stale.
    assert all(p._version > v for p, v in zip(model.parameters(), versions, strict=True))


def test_loading_into_a_model_takes_no_memory_of_its_size() -> None:
    data, raw = seeded(3_000_000, 100)
    model = nn.Linear(500, 6000, bias=False)
    tracemalloc.start()
    try:
        freezepack.torch.load_into(model, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raw_copy(model.weight).tobytes() == raw.tobytes()
    assert peak < raw.nbytes / 4


@pytest.mark.parametrize("backend", ["torch", None])
def test_a_model_for_inference_only_is_filled_too(backend: str | None) -> None:
    with torch.inference_mode():
        model = nn.Linear(3, 2)
    source = nn.Linear(3, 2)
    data = freezepack.torch.save(source.state_dict())
    freezepack.torch.load_into(model, data, backend=backend)
    assert torch.equal(model.weight, source.weight)


def test_other_frameworks_have_no_back_ends_of_devices() -> None:
    with pytest.raises(UnknownNameError, match="no backend named 'torch'"):
        open_pack(golden("tiny")[0], backend="torch")


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_cpu_refuses_is_refused(name: str) -> None:
    data, expected = refused(name)
    with pytest.raises(FormatError) as caught:
        load(data)
    assert (caught.value.field, caught.value.offset) == (expected["field"], expected["offset"])


@pytest.mark.usefixtures("forced")
def test_parameters_that_are_not_contiguous_are_filled_too() -> None:
    source, model = nn.Linear(4, 3), nn.Linear(4, 3)
    model.weight = nn.Parameter(torch.zeros(4, 3).T)
    freezepack.torch.load_into(model, freezepack.torch.save(source.state_dict()))
    assert torch.equal(model.weight, source.weight)
    assert model.weight.stride() == (1, 3)


@pytest.mark.usefixtures("forced")
def test_a_small_pack_is_compared_before_a_model_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Linear(4, 3)
    before = model.weight.detach().clone()
    data = freezepack.torch.save(nn.Linear(4, 3).state_dict())

    def spoil(self: Any, sums: torch.Tensor, out: torch.Tensor) -> None:
        out.fill_(5)

    monkeypatch.setattr(type(TORCH), "finish", spoil)
    with pytest.raises(CorruptError, match="digest"):
        freezepack.torch.load_into(model, data)
    assert torch.equal(model.weight, before)


@pytest.mark.usefixtures("forced")
def test_names_and_forms_are_compared_before_a_model_changes() -> None:
    model = nn.Linear(4, 3)
    before = model.weight.detach().clone()
    with pytest.raises(CheckpointError, match=r"bias: float32 \[2\] in the pack"):
        freezepack.torch.load_into(
            model, freezepack.torch.save({"weight": torch.ones(3, 4), "bias": torch.ones(2)})
        )
    assert torch.equal(model.weight, before)


def test_memory_that_does_not_fit_is_refused() -> None:
    with open_pack(golden("tiny")[0], framework="torch", backend="torch") as file:
        there = file.rebuilder_on("cpu")
        assert there is not None
        with pytest.raises(ValueError, match=r"given for 'fc\.bias' is torch\.float64 \[2\], exp"):
            there.fill_device_tensors({"fc.bias": torch.empty(2, dtype=torch.float64)})
        with pytest.raises(ValueError, match=r"given for 'fc\.weight' is not contiguous"):
            there.fill_device_tensors({"fc.weight": torch.empty(5, 2).T})


def test_a_back_end_of_the_cpu_that_is_named_counts_more_than_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FREEZEPACK_DEVICE_BACKEND", "torch")
    data = freezepack.torch.save({"w": torch.arange(4.0)})
    with freezepack.open(data, framework="torch") as file:
        assert file.rebuilder_on("cpu") is not None
    with freezepack.open(data, framework="torch", backend="numpy") as file:
        assert file.rebuilder_on("cpu") is None
        assert file.get_tensor("w").tolist() == [0.0, 1.0, 2.0, 3.0]
