"""A card makes the bits of the reference: the battery, and sizes that only a card makes quickly."""

from pathlib import Path

import numpy as np
import pytest
import torch

from freezepack.digest import digest
from freezepack.random import fill_raw, make_init
from freezepack.rebuild.torch_devices import choose_device_backend, describe_device
from freezepack.rebuild.torch_devices.bits import bits_type, count_tiles
from freezepack.types import Draw, DType
from tests.contract.device_battery import (
    FLOATS,
    SLOW_FILES,
    DeviceBattery,
    Place,
    check_golden,
    octets,
)


class TestOnTheCard(DeviceBattery):
    """The battery of tests/contract, with the fixture of this folder."""


def test_triton_is_what_a_cuda_device_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FREEZEPACK_DEVICE_BACKEND", raising=False)
    backend = choose_device_backend("cuda")
    assert backend is not None
    assert backend.name == "triton"
    assert describe_device() == "triton: on 'cuda'"


@pytest.mark.parametrize("name", sorted(SLOW_FILES))
def test_large_golden_files_have_the_expected_bits(place: Place, name: str, tmp_path: Path) -> None:
    check_golden(place, name, tmp_path)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("draw", [Draw.uniform, Draw.normal, Draw.truncated_normal, Draw.sign])
def test_twenty_million_elements(place: Place, draw: Draw, dtype: DType) -> None:
    size, start = 20_000_003, 3 * 2**33
    init = make_init(draw, 0.125, stream=99, cut=2.0 if draw == Draw.truncated_normal else None)
    wanted = np.empty(size, dtype.raw)
    fill_raw(wanted, dtype, key=0x0123456789ABCDEF, init=init, start=start)
    out = place.empty(size, dtype)
    sums = place.sums(out)
    place.backend.fill(out, dtype, key=0x0123456789ABCDEF, init=init, start=start, sums=sums)
    assert octets(out) == wanted.tobytes()
    assert place.finish(sums) == digest(wanted)
    numbers = np.random.default_rng(1)
    positions = np.flatnonzero(numbers.random(size) < 0.05).astype(np.int32)
    values = numbers.integers(0, 256, positions.size * dtype.itemsize, dtype=np.uint8)
    wanted[positions] = values.view(dtype.raw)
    place.backend.patch(out, place.send(positions), place.send(values.view(dtype.raw)), sums=sums)
    assert octets(out) == wanted.tobytes()
    assert place.finish(sums) == digest(wanted)


@pytest.mark.parametrize("start", [1, 2, 3, 2**31 - 1, 2**33 + 7, 2**63 - 3_000_001])
def test_a_large_range_may_begin_anywhere(place: Place, start: int) -> None:
    wanted, out = np.empty(3_000_001, np.uint32), place.empty(3_000_001, DType.float32)
    init = make_init("normal", 0.02, stream=2**63 - 1)
    fill_raw(wanted, DType.float32, key=2**64 - 1, init=init, start=start)
    place.backend.fill(out, DType.float32, key=2**64 - 1, init=init, start=start)
    assert octets(out) == wanted.tobytes()


def test_more_than_two_to_the_31_elements() -> None:
    backend = choose_device_backend("cuda", "triton")
    size = 2**31 + 5003
    if backend is None or torch.cuda.mem_get_info()[0] < 4 * size:
        pytest.skip("not enough memory on the device")
    init = make_init("normal", 0.02)
    out = torch.empty(size, dtype=bits_type(DType.bfloat16), device="cuda")
    sums = torch.empty(count_tiles(out), dtype=torch.int64, device="cuda")
    backend.fill(out, DType.bfloat16, key=5, init=init, start=0, sums=sums)
    positions = torch.tensor([0, 1, 2001, 5002], dtype=torch.int32, device="cuda")
    values = torch.tensor([1, 2, 3, 4], dtype=torch.int16, device="cuda")
    backend.patch(out, positions, values, offset=2**31, sums=sums)
    found = torch.empty(1, dtype=torch.int64, device="cuda")
    backend.finish(sums, found)
    corrected = found.item()
    backend.sum_tiles(out, sums)
    backend.finish(sums, found)
    assert found.item() == corrected
    assert out[2**31 :][positions.long()].tolist() == [1, 2, 3, 4]
    wanted = np.empty(9000, np.uint16)
    for begin, patched in ((0, []), (2**31 - 4000, [4000, 4001, 6001])):
        fill_raw(wanted, DType.bfloat16, key=5, init=init, start=begin)
        part = out[begin : begin + 9000].cpu().numpy().view(np.uint16)
        assert np.flatnonzero(part != wanted).tolist() == patched


def test_streams_of_the_device_do_not_disturb_each_other(place: Place) -> None:
    init = make_init("normal", 1.0)
    wanted = np.empty(5_000_000, np.uint32)
    fill_raw(wanted, DType.float32, key=1, init=init)
    outs = []
    for _ in range(4):
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        with torch.cuda.stream(stream):
            out = torch.empty(wanted.size, dtype=torch.int32, device=place.device)
            sums = torch.empty(count_tiles(out), dtype=torch.int64, device=place.device)
            place.backend.fill(out, DType.float32, key=1, init=init, sums=sums)
            outs.append((out, sums))
    torch.cuda.synchronize()
    for out, sums in outs:
        assert octets(out) == wanted.tobytes()
        assert place.finish(sums) == digest(wanted)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one device only")
def test_a_device_that_is_not_the_current_one_is_used() -> None:
    backend = choose_device_backend("cuda:1")
    assert backend is not None
    out = torch.zeros(2000, dtype=torch.int32, device="cuda:1")
    backend.fill(out, DType.float32, key=0, init=make_init("normal", 1.0))
    assert out[:1].view(torch.float32).item() == -0.8433289527893066
    assert torch.cuda.current_device() == 0
