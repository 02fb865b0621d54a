"""NumPy arrays in and out, in the words of safetensors."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

import freezepack
from freezepack.numpy import load, load_file, save, save_file
from freezepack.random import fill

EVERY = [
    np.float32, np.float16, ml_dtypes.bfloat16, np.float64, ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e5m2, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32,
    np.uint64, np.bool_, np.complex64, np.complex128,
]  # fmt: skip


@pytest.mark.parametrize("dtype", EVERY)
def test_every_element_type_comes_back(dtype: Any) -> None:
    array = np.array([[0, 1], [3, 0]]).astype(dtype)
    found = load(save({"w": array}))["w"]
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()
    assert found.shape == (2, 2)


def test_layout_byte_order_and_scalars_do_not_matter() -> None:
    plain = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensors: dict[str, NDArray[Any]] = {
        "big endian": plain.astype(">f4"),
        "fortran": np.asfortranarray(plain),
        "scalar": np.array(2.5),
        "strided": plain[:, ::2],
        "empty": np.zeros((0, 4), np.int16),
    }
    before = {name: array.copy() for name, array in tensors.items()}
    found = load(save(tensors))
    assert list(found) == sorted(tensors)
    for name, array in before.items():
        assert found[name].tolist() == array.tolist()
        assert found[name].shape == array.shape
        assert tensors[name].tolist() == array.tolist()


def test_the_same_memory_is_stored_once() -> None:
    array = np.random.default_rng(0).random(1000)
    found = load(save({"b": array, "a": array, "c": array.copy()}))
    assert found["b"] is found["a"]
    assert found["c"] is not found["a"]
    assert len(save({"b": array, "a": array})) < 8100


class Lazy(Mapping[str, NDArray[Any]]):
    """Makes each array when it is asked for, and keeps none."""

    def __init__(self, make: Callable[[int], NDArray[Any]], count: int) -> None:
        self.make = make
        self.numbers = {f"w{number:02}": number for number in range(count)}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.make(self.numbers[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def big_endian(number: int) -> NDArray[Any]:
    return np.full((40, 50), number, ">f4")


def fortran(number: int) -> NDArray[Any]:
    return np.asfortranarray(np.arange(2000.0).reshape(40, 50) + number)


def native(number: int) -> NDArray[Any]:
    return np.full(2000, number, np.int16)


@pytest.mark.parametrize("make", [big_endian, fortran, native])
@pytest.mark.parametrize("is_lazy", [True, False])
def test_memory_that_is_used_again_makes_no_tie(
    make: Callable[[int], NDArray[Any]], is_lazy: bool
) -> None:
    lazy = Lazy(make, 30)
    data = save(lazy if is_lazy else dict(lazy))
    with freezepack.open(data) as file:
        assert file.header.aliases == {}
        for number, name in enumerate(file.keys()):
            assert file.get_tensor(name).tolist() == make(number).tolist()


def test_an_archive_of_numpy_is_stored_as_it_is(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {f"w{n}": np.full(1000, n, ">i4") for n in range(20)}
    np.savez(tmp_path / "g.npz", **arrays)
    with np.load(tmp_path / "g.npz") as archive:
        found = load(save(archive))
    assert [int(found[f"w{n}"][-1]) for n in range(20)] == list(range(20))


def test_bits_can_be_had_without_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = save({"w": np.array([1.5], ml_dtypes.bfloat16)})
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    wanted = r"bfloat16 in NumPy \(without it: raw=True\) needs ml_dtypes, .*freezepack\[bfloat16\]"
    with pytest.raises(freezepack.MissingExtraError, match=wanted):
        load(data)
    found = load(data, raw=True)["w"]
    assert found.dtype == np.uint16
    assert found.tolist() == [0x3FC0]


def test_a_seed_and_a_scheme_make_a_file_of_what_is_trained(tmp_path: Path) -> None:
    weight = np.empty((300, 100), np.float32)
    fill(weight, seed=5, stream=1, draw="normal", scale=0.1)
    weight[3, 4] = 1.0
    tensors = {"bias": np.ones(300, np.float32), "weight": weight}
    data = save(tensors, seed=5, init={"weight": ("normal", 0.1)})
    assert len(data) < 110
    assert load(data)["weight"].tobytes() == weight.tobytes()
    with pytest.raises(ValueError, match="seed and init belong together"):
        save(tensors, seed=5)
    with pytest.raises(freezepack.CheckpointError, match="init names tensors that are not there"):
        save(tensors, seed=5, init={"weights": ("normal", 0.1)})
    save_file(tensors, tmp_path / "a.fpk", seed=5, init="xavier_normal")
    assert load_file(tmp_path / "a.fpk")["weight"].tobytes() == weight.tobytes()


def test_masks_are_kept_and_held_to() -> None:
    array = np.zeros((4, 4), np.float32)
    mask = np.eye(4, dtype=np.bool_)
    with freezepack.open(save({"w": array}, masks={"w": mask})) as file:
        assert file.header.tensors["w"].trained == 4
    array[0, 1] = 1
    with pytest.raises(freezepack.BaseDriftError, match="'w': 1 of 16 entries"):
        save({"w": array}, masks={"w": mask})
    with pytest.raises(freezepack.CheckpointError, match="the mask of 'v' belongs to no tensor"):
        save({"w": array}, masks={"v": mask})
    with pytest.raises(TypeError, match="the mask of 'w' has elements of float64, expected bool"):
        save({"w": array}, masks={"w": np.eye(4)})


def test_a_pack_on_an_earlier_one_needs_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    first = {"w": rng.random((50, 60)).astype(np.float32), "head": np.ones(7, np.float32)}
    save_file(first, tmp_path / "first.fpk")
    second = {"w": first["w"].copy(), "head": np.arange(9, dtype=np.float32)}
    second["w"][5] += 1
    data = save(second, base=tmp_path / "first.fpk")
    assert len(data) < 450
    with pytest.raises(freezepack.BaseMismatchError, match=r"earlier pack 'first\.fpk' .* --base"):
        load(data)
    found = load(data, base=tmp_path / "first.fpk")
    assert found["w"].tobytes() == second["w"].tobytes()
    assert found["head"].tolist() == list(range(9))
    (tmp_path / "second.fpk").write_bytes(data)
    third = {"w": second["w"] + (second["w"] > 1)}
    with pytest.raises(freezepack.BaseMismatchError):
        save(third, base=tmp_path / "second.fpk")
    data = save(third, base=[tmp_path / "second.fpk", tmp_path / "first.fpk"])
    found = load(data, base=[tmp_path / "first.fpk", tmp_path / "second.fpk"])
    assert found["w"].tobytes() == third["w"].tobytes()
    with pytest.raises(ValueError, match="seed and base are both given"):
        save(third, base=tmp_path / "first.fpk", seed=1, init="xavier_normal")


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    save_file({"w": np.ones(3)}, tmp_path / "a.fpk")
    save_file({"w": np.zeros(2)}, tmp_path / "a.fpk", {"note": "new"})
    assert load_file(tmp_path / "a.fpk")["w"].tolist() == [0.0, 0.0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.fpk"]


def test_the_limit_counts_all_tensors() -> None:
    data = save({name: np.zeros(10, np.uint8) for name in "abc"})
    with pytest.raises(freezepack.LimitError, match="30 bytes when rebuilt"):
        load(data, max_bytes=29)
    assert len(load(data, max_bytes=30)) == 3
    assert len(load(data, max_bytes=None)) == 3


def test_other_elements_are_refused() -> None:
    with pytest.raises(TypeError, match="'w' has elements of <U1, which a pack cannot hold"):
        save({"w": np.array(["a"])})
