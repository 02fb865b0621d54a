"""Initializers of ONNX files are read as bits; what is hostile is refused by name."""

import builtins
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from freezepack.checkpoints.onnx_file import is_onnx, read_onnx
from freezepack.checkpoints.onnx_tensors import DTYPES
from freezepack.checkpoints.read import read_state
from freezepack.errors import (
    CheckpointError,
    FreezepackError,
    InputError,
    MissingExtraError,
)
from freezepack.types import DType


def model_of(*tensors: TensorProto, **metadata: str) -> onnx.ModelProto:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2])
    other = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", [value], [other], list(tensors))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    helper.set_model_props(model, {f"freezepack.{key}": text for key, text in metadata.items()})
    return model


def read(*tensors: TensorProto, **metadata: str) -> Any:
    return read_onnx(model_of(*tensors, **metadata).SerializeToString())


def test_the_numbers_of_element_types_are_those_of_onnx() -> None:
    names = {number: name.lower() for name, number in TensorProto.DataType.items()}
    special = {"float": "float32", "double": "float64"}
    special |= {"float8e4m3fn": "float8_e4m3fn", "float8e5m2": "float8_e5m2"}
    assert set(DTYPES.values()) == set(DType)
    for number, dtype in DTYPES.items():
        assert special.get(names[number], names[number]) == dtype.name


@pytest.mark.parametrize("number", DTYPES)
@pytest.mark.parametrize("raw", [False, True])
def test_every_element_type_is_read_from_either_field(number: int, raw: bool) -> None:
    values = np.array([[0, 1, 1], [1, 0, 1]]).astype(helper.tensor_dtype_to_np_dtype(number))
    tensor = (
        numpy_helper.from_array(values, "w")
        if raw
        else helper.make_tensor("w", number, values.shape, values.flatten().tolist())
    )
    assert tensor.HasField("raw_data") is raw
    spec, bits = read(tensor).arrays["w"]
    assert (spec.shape, spec.dtype) == ((2, 3), DTYPES[number])
    assert bits.tobytes() == values.tobytes()


def test_negative_and_nan_bits_are_kept() -> None:
    floats = np.array([0x7FC00123, 0x80000000, 0xFF800000], np.uint32).view(np.float32)
    halves = np.array([-0.0, -1.5], np.float16)
    tensors = [
        numpy_helper.from_array(floats, "a"),
        helper.make_tensor("b", TensorProto.FLOAT16, [2], halves.tolist()),
        helper.make_tensor("c", TensorProto.INT8, [2], [-128, 127]),
        numpy_helper.from_array(np.zeros((0, 3), np.float32), "empty"),
        numpy_helper.from_array(np.array(7, np.int64), "scalar"),
    ]
    arrays = read(*tensors).arrays
    assert arrays["a"][1].tolist() == [0x7FC00123, 0x80000000, 0xFF800000]
    assert arrays["b"][1].tolist() == [0x8000, 0xBE00]
    assert arrays["c"][1].tolist() == [128, 127]
    assert arrays["empty"][0].shape == (0, 3)
    assert (arrays["scalar"][0].shape, arrays["scalar"][1].tolist()) == ((), [7])


def with_data(**fields: Any) -> TensorProto:
    tensor = TensorProto(name="w", dims=[2], data_type=TensorProto.FLOAT)
    for key, value in fields.items():
        if isinstance(value, list):
            getattr(tensor, key)[:] = value
        else:
            setattr(tensor, key, value)
    return tensor


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (with_data(raw_data=bytes(7)), "'w' has 7 bytes of data, expected 8 for"),
        (with_data(raw_data=bytes(9)), "'w' has 9 bytes of data, expected 8 for"),
        (with_data(), "'w' has 0 bytes of data, expected 8 for"),
        (with_data(int32_data=[1, 2]), "'w' has 0 bytes of data, expected 8 for"),
        (with_data(dims=[-1], raw_data=bytes(8)), r"'w' has the shape \[-1\]"),
        (with_data(dims=[1 << 40, 1 << 40], raw_data=b"ab"), "2 bytes of data, expected"),
        (with_data(data_type=TensorProto.STRING), "'w' is STRING, which a pack cannot hold"),
        (with_data(data_type=TensorProto.INT4), "'w' is INT4, which a pack cannot hold"),
        (with_data(data_type=0), "'w' is UNDEFINED, which a pack cannot hold"),
        (with_data(data_type=999), "'w' is 999, which a pack cannot hold"),
        (
            with_data(data_type=TensorProto.INT8, int32_data=[1, 128]),
            "'w' has the number 128, which is no int8",
        ),
        (
            with_data(data_type=TensorProto.UINT32, uint64_data=[1, 1 << 32]),
            "'w' has the number 4294967296, which is no uint32",
        ),
        (with_data(name=""), "name"),
    ],
)
def test_a_tensor_that_is_not_what_it_says_is_refused(tensor: TensorProto, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        read(tensor)


def test_a_name_that_is_no_text_is_refused() -> None:
    data = model_of(numpy_helper.from_array(np.zeros(2, np.float32), "name"), note="text")
    for part in (b"name", b"note", b"text"):
        broken = data.SerializeToString().replace(part, b"\xff" + part[1:])
        with pytest.raises(CheckpointError, match=r"b'.*\\xff.*' is not Unicode text"):
            read_onnx(broken)


def test_two_tensors_of_one_name_are_refused() -> None:
    tensor = numpy_helper.from_array(np.zeros(2, np.float32), "w")
    with pytest.raises(CheckpointError, match="two initializers are named 'w'"):
        read(tensor, tensor)


def test_a_sparse_tensor_and_functions_are_refused_by_name() -> None:
    model = model_of()
    sparse = model.graph.sparse_initializer.add()
    sparse.values.name = "pruned"
    with pytest.raises(CheckpointError, match="'pruned' is sparse"):
        read_onnx(model.SerializeToString())
    model = model_of()
    model.functions.add(name="Round", domain="x")
    with pytest.raises(CheckpointError, match=r"functions \('Round'\): .* freezepack expand"):
        read_onnx(model.SerializeToString())


def external(location: str, offset: str = "0", length: str = "8") -> TensorProto:
    tensor = TensorProto(name="w", dims=[2], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=value)
    return tensor


def save(folder: Path, *tensors: TensorProto) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(model_of(*tensors).SerializeToString())
    return path


def test_data_in_a_file_beside_the_model_is_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.bin").write_bytes(b"abc" + np.array([1, 2], "<f4").tobytes())
    state = read_state(save(tmp_path, external("sub/w.bin", "3")))
    assert state.arrays["w"][1].view(np.float32).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/passwd", "", "a/../../secret", "link", "\0"]
)
def test_data_outside_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret").write_bytes(bytes(8))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(CheckpointError, match="the data of 'w' is at"):
        read_state(save(folder, external(location)))


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (external("none.bin"), "which is not there"),
        (external("w.bin", "1"), "ends at byte 9 of w.bin, which has 8"),
        (external("w.bin", "-1"), "8 bytes at -1"),
        (external("w.bin", "0", "9"), "9 bytes at 0, expected 8"),
        (external("w.bin", "x"), "no number"),
    ],
)
def test_wrong_places_of_data_are_refused(
    tmp_path: Path, tensor: TensorProto, message: str
) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(8))
    with pytest.raises(CheckpointError, match=message):
        read_state(save(tmp_path, tensor))


def test_a_stream_has_no_other_files() -> None:
    with pytest.raises(CheckpointError, match="in another file, which a stream does not have"):
        read(external("w.bin"))


def test_metadata_comes_back_without_the_digest() -> None:
    state = read(architecture="lenet5-caffe", digest="00ff")
    assert state.metadata == {"architecture": "lenet5-caffe"}


@pytest.mark.parametrize(
    "draws",
    [
        "[1]",
        "{",
        '{"w": 1}',
        '{"w": [1, "normal", 2]}',
        '{"w": [1, "cauchy", 1065353216, 0, 0]}',
        '{"w": [-1, "normal", 1065353216, 0, 0]}',
        '{"w": [1, "normal", 1065353216, 0, -1]}',
        '{"w": [1, "normal", 1.5, 0, 0]}',
        '{"w": [18446744073709551616, "normal", 1065353216, 0, 0]}',
        '{"w": [1, "normal", 4294967295, 0, 0]}',
        "[" * 100000,
    ],
)
def test_damaged_draws_are_refused(draws: str) -> None:
    tensor = numpy_helper.from_array(np.zeros((2, 2), np.float32), "w")
    with pytest.raises(CheckpointError, match=r"the metadata freezepack\.draws is damaged"):
        read(tensor, draws=draws)


def test_draws_become_claims() -> None:
    tensor = numpy_helper.from_array(np.zeros((2, 2), np.float32), "w")
    entry = [5, "normal", 0x3D000000, 0, 3]
    state = read(tensor, draws=json.dumps({"w": entry, "absent": entry}))
    (claim,) = state.claims.values()
    assert (claim.base.seed, claim.init.bits, claim.init.stream) == (5, 0x3D000000, 3)
    assert claim.mask is None


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = builtins.__import__

    def hide(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "onnx":
            raise ImportError(name="onnx")
        return true_import(name, *args, **kwargs)

    data = model_of().SerializeToString()
    monkeypatch.setattr(builtins, "__import__", hide)
    with pytest.raises(MissingExtraError, match=r"pip install 'freezepack\[onnx\]'"):
        read_onnx(data)


WHOLE = model_of(
    numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w"),
    helper.make_tensor("b", TensorProto.INT8, [2], [-1, 3]),
    architecture="a",
).SerializeToString()


def test_a_file_cut_anywhere_gives_an_error_of_ours_or_less(tmp_path: Path) -> None:
    for cut in range(len(WHOLE)):
        try:
            state = read_onnx(WHOLE[:cut])
        except FreezepackError:
            continue
        assert set(state.arrays) <= {"w", "b"}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6))
def test_damaged_bytes_never_crash(changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    with suppress(FreezepackError):
        read_onnx(bytes(data))


@pytest.mark.parametrize("content", [b"\x08\x0a\x12\x07pytorch\xff\xff", b"\x08\x08\x3a\x02ab"])
def test_what_only_begins_like_onnx_is_unreadable(content: bytes) -> None:
    assert is_onnx(content)
    with pytest.raises(InputError, match="the input is not a valid ONNX file"):
        read_onnx(content)


def test_a_safetensors_file_is_not_taken_for_onnx() -> None:
    for length in (8, 8 + (10 << 8), 8 + (1 << 8) + (18 << 16)):
        assert not is_onnx(length.to_bytes(8, "little") + b"{")
