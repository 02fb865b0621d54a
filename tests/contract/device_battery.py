"""What holds for every back end of a device, wherever it runs.

A subclass says where: its fixture `place` gives a back end and a device, `few` whether that is so
slow that sizes have to be small.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import freezepack
from freezepack.digest import digest
from freezepack.errors import BaseMismatchError, CorruptError, LimitError
from freezepack.handle import PackFile, open_pack
from freezepack.nn.raw import raw_copy
from freezepack.random import make_init
from freezepack.rebuild.host import NUMPY
from freezepack.rebuild.torch_devices.backend import DeviceBackend
from freezepack.rebuild.torch_devices.bits import bits_type, count_tiles
from freezepack.types import Draw, DType, Init, RawArray
from tests.conformance.vectors import GOLDEN, golden

FLOATS = [DType.float32, DType.float16, DType.bfloat16, DType.float64]
SLOW_FILES = {"large", "lenet5-caffe", "units"}
"""Golden files with more than 100,000 elements."""


@dataclass(frozen=True)
class Place:
    """A back end and where it runs."""

    backend: DeviceBackend
    device: torch.device
    few: bool = False

    def send(self, raw: NDArray[Any]) -> Tensor:
        """Return a raw array as bits on the device."""
        width = min(raw.itemsize, 8)
        kind = "u1" if width == 1 else f"i{width}"
        return torch.from_numpy(raw.view(kind).copy()).to(self.device)

    def empty(self, size: int, dtype: DType) -> Tensor:
        """Return bits with content that no test expects."""
        return torch.full((size,), 77, dtype=bits_type(dtype), device=self.device)

    def sums(self, bits: Tensor) -> Tensor:
        """Return memory for the sums of a tensor."""
        return torch.full((count_tiles(bits),), 77, dtype=torch.int64, device=self.device)

    def finish(self, sums: Tensor) -> int:
        """Return the digest that sums belong to."""
        found = torch.full((1,), 77, dtype=torch.int64, device=self.device)
        self.backend.finish(sums, found)
        return int(found.item()) % 2**64

    def open(self, data: bytes, **options: Any) -> PackFile:
        """Open a pack for the device."""
        return open_pack(
            data, framework="torch", device=str(self.device), backend=self.backend.name, **options
        )


def octets(bits: Tensor) -> bytes:
    return bits.cpu().numpy().tobytes()


def reference(dtype: DType, init: Any, start: int, size: int) -> RawArray:
    out = np.empty(size, dtype.raw)
    NUMPY.fill(out, dtype, key=2**64 - 1, init=init, start=start)
    return out


class DeviceBattery:
    """Tests; subclasses add the fixture `place`."""

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("draw", list(Draw))
    def test_bases_and_digests_are_those_of_the_reference(
        self, place: Place, draw: Draw, dtype: DType
    ) -> None:
        init = make_init(draw, 0.25, stream=2**62 + 1, cut=1.5 if draw == 3 else None)
        per_tile = 4096 // dtype.itemsize
        # 16 tiles are a program of the interpreter.
        sizes = [1, 3, 17 * per_tile + 5] if place.few else [1, per_tile, 300 * per_tile - 1]
        for size in sizes:
            out = place.empty(size, dtype)
            sums = place.sums(out)
            place.backend.fill(out, dtype, key=2**64 - 1, init=init, start=0, sums=sums)
            wanted = reference(dtype, init, 0, size)
            assert octets(out) == wanted.tobytes()
            assert place.finish(sums) == digest(wanted)

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("draw", list(Draw))
    def test_a_base_may_begin_anywhere(self, place: Place, draw: Draw, dtype: DType) -> None:
        init = make_init(draw, 0.25, stream=3, cut=1.5 if draw == 3 else None)
        starts = [1, 2**32 - 5, 2**40 + 2] if place.few else [1, 2, 31, 2**32 - 5, 2**62 + 2]
        for start in starts:
            out = place.empty(1027, dtype)
            place.backend.fill(out, dtype, key=2**64 - 1, init=init, start=start)
            assert octets(out) == reference(dtype, init, start, 1027).tobytes()

    def test_only_the_elements_asked_for_are_written(self, place: Place) -> None:
        out = place.empty(30, DType.float32)
        init = make_init("normal", 1.0)
        place.backend.fill(out[10:13], DType.float32, key=0, init=init, start=1)
        assert out.tolist() == [77] * 10 + out[10:13].tolist() + [77] * 17
        assert 77 not in out[10:13].tolist()

    def test_a_base_has_the_values_of_the_specification(self, place: Place) -> None:
        out = place.empty(3, DType.float32)
        place.backend.fill(out, DType.float32, key=0, init=make_init("normal", 1.0), start=0)
        expected = [-0.8433289527893066, -0.15030527114868164, 0.3375425338745117]
        assert out.view(torch.float32).tolist() == expected

    @pytest.mark.parametrize("bits", [0x00000000, 0x80000000, 0x387FFFFF, 0xC77FE000, 0x3F808000])
    def test_constants_keep_their_sign_and_are_rounded_once(self, place: Place, bits: int) -> None:
        init = Init(Draw.constant, bits)
        for dtype in FLOATS:
            out = place.empty(5, dtype)
            place.backend.fill(out, dtype, key=0, init=init, start=0)
            assert octets(out) == reference(dtype, init, 0, 5).tobytes()

    @pytest.mark.parametrize("scale", [2.0**-15, 2.0**-24, 2.0**-40, 10000.0])
    def test_float16_is_rounded_to_subnormals_zeros_and_up_to_its_end(
        self, place: Place, scale: float
    ) -> None:
        init = make_init("normal", scale)
        out = place.empty(2048, DType.float16)
        place.backend.fill(out, DType.float16, key=2**64 - 1, init=init, start=0)
        assert octets(out) == reference(DType.float16, init, 0, 2048).tobytes()

    @pytest.mark.parametrize(
        "dtype", [DType.uint8, DType.float16, DType.bfloat16, DType.float32, DType.float64]
    )
    def test_a_patch_replaces_its_positions_and_corrects_the_sums(
        self, place: Place, dtype: DType
    ) -> None:
        numbers = np.random.default_rng(dtype)
        size = 2 * 4096 // dtype.itemsize + 3
        raw = numbers.integers(0, 256, size * dtype.itemsize, dtype=np.uint8).view(dtype.raw)
        # Neighbours in one word, single elements, the last element.
        chosen = [0, 1, 2, 3, 4, 6, 7, 11, 400, 401, 511, 512, size - 10, size - 7]
        for offset in (0, 6):
            out = place.send(raw)
            sums = place.sums(out)
            place.backend.sum_tiles(out, sums)
            assert place.finish(sums) == digest(raw)
            positions = np.array(chosen, np.int32)
            values = numbers.integers(0, 256, len(chosen) * dtype.itemsize, dtype=np.uint8)
            changed = raw.copy()
            changed[positions + offset] = values.view(dtype.raw)
            place.backend.patch(
                out,
                place.send(positions),
                place.send(values.view(dtype.raw)),
                offset=offset,
                sums=sums,
            )
            assert octets(out) == changed.tobytes()
            assert place.finish(sums) == digest(changed)
            place.backend.patch(out, place.send(positions), place.send(raw[positions]), offset=6)
            changed[positions + 6] = raw[positions]
            assert octets(out) == changed.tobytes()

    def test_digests_are_those_of_the_specification(self, place: Place) -> None:
        for content, expected in [
            (b"", 0),
            (b"\0", 0x156F1AC231A8BD3E),
            (b"abc", 0x243C125AA37010A4),
            (bytes(range(256)) * 20, 0x97951969CD32D01D),
        ]:
            out = place.send(np.frombuffer(content, np.uint8))
            sums = place.sums(out)
            place.backend.sum_tiles(out, sums)
            assert place.finish(sums) == expected

    @pytest.mark.parametrize("name", sorted(set(GOLDEN) - SLOW_FILES))
    def test_golden_files_have_the_expected_bits(
        self, place: Place, name: str, tmp_path: Path
    ) -> None:
        check_golden(place, name, tmp_path)

    def test_slices_are_those_of_the_whole(self, place: Place) -> None:
        data = golden("index-hazard")[0]
        with place.open(data) as file, freezepack.open(data) as plain:
            name = max(file.keys(), key=lambda name: plain.get_tensor(name).size)
            whole = plain.get_tensor(name)
            rows, cols = whole.shape[0] // 2, whole.shape[1]
            indices: list[Any] = [
                (slice(1, rows), slice(None, None, 2)),
                (slice(rows, 0, -2), slice(cols - 1, None, -1)),
                (rows, 3),
                (slice(3, 3),),
                (...,),
            ]
            for index in indices:
                part = file.get_slice(name)[index]
                assert part.device.type == place.device.type
                assert list(part.shape) == list(whole[index].shape)
                assert raw_copy(part).tobytes() == whole[index].tobytes()

    def test_a_digest_that_differs_is_an_error(self, place: Place) -> None:
        with place.open(golden("tiny")[0]) as file:
            there = file.rebuilder_on(str(place.device))
            assert there is not None
            object.__setattr__(there.header, "digest", 1)
            with pytest.raises(CorruptError, match=r"digest at byte .*computed abdb9aae5b164b1d"):
                file.get_tensors()
            with pytest.raises(CorruptError, match="digest at byte"):
                file.get_tensor("fc.weight")

    def test_the_limit_is_checked_before_anything_is_made(self, place: Place) -> None:
        with place.open(golden("tiny")[0], max_bytes=47) as file:
            with pytest.raises(LimitError, match="48 bytes when rebuilt"):
                file.get_tensors()
            assert file.get_tensor("fc.bias").shape == (2,)

    def test_a_missing_base_is_named(self, place: Place) -> None:
        problem = pytest.raises(BaseMismatchError, match="give it with --base PATH")
        with place.open(golden("base-file")[0]) as file, problem:
            file.get_tensors()


def check_golden(place: Place, name: str, folder: Path) -> None:
    """Compare all tensors of a golden file, made at once and one by one."""
    data, expected = golden(name)
    base = None
    if expected["given"]:
        base = folder / "base.fpk"
        base.write_bytes(golden(expected["given"])[0])
    with place.open(data, base=base) as file:
        together = file.get_tensors()
        for tensor in expected["tensors"]:
            found = [together[tensor["name"]]]
            if not place.few or len(expected["tensors"]) < 4:
                found.append(file.get_tensor(tensor["name"]))
            for each in found:
                assert each.device.type == place.device.type
                assert list(each.shape) == tensor["shape"]
                assert str(each.dtype) == f"torch.{tensor['dtype']}"
                assert hashlib.sha256(raw_copy(each).tobytes()).hexdigest() == tensor["sha256"]
