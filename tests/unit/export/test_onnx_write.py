"""Files are streamed tensor by tensor and hold what protocol buffers would write."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from freezepack.errors import CheckpointError
from freezepack.export.onnx_write import dense_bytes, model_pieces, write_external

DATA: dict[str, NDArray[Any]] = {
    "big": np.arange(1000, dtype=np.float32),
    "small": np.arange(3, dtype=np.int8),
    "half": np.arange(1024, dtype=np.float16),
    "none": np.zeros(0, np.float32),
}
CONSTANT = numpy_helper.from_array(np.array([-1, 800]), "shape")


def skeleton() -> onnx.ModelProto:
    graph = onnx.GraphProto(name="g")
    for name, array in DATA.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        graph.initializer.add(name=name, dims=array.shape, data_type=kind)
    graph.initializer.append(CONSTANT)
    graph.initializer.append(helper.make_tensor("gaps", TensorProto.INT64, [2], [3, 300]))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def make(name: str) -> memoryview:
    data: NDArray[np.uint8] = DATA[name].view(np.uint8)
    return data.data


def arrays(model: onnx.ModelProto) -> dict[str, list[float]]:
    return {t.name: numpy_helper.to_array(t).tolist() for t in model.graph.initializer}


WANTED = {name: array.tolist() for name, array in DATA.items()}
WANTED |= {"shape": [-1, 800], "gaps": [3, 300]}


def test_a_streamed_file_reads_as_the_whole_model() -> None:
    model = skeleton()
    before = model.SerializeToString()
    data = b"".join(model_pieces(model, make))
    assert model.SerializeToString() == before
    read = onnx.ModelProto.FromString(data)
    assert arrays(read) == WANTED
    assert read.graph.name == "g"
    assert read.opset_import[0].version == 18
    assert len(read.SerializeToString()) == len(data)
    assert list(read.graph.initializer[-1].int64_data) == [3, 300]


def test_each_tensor_is_made_when_its_turn_comes() -> None:
    asked = []
    pieces = model_pieces(skeleton(), lambda name: asked.append(name) or make(name))  # type: ignore[func-returns-value]
    next(pieces)
    assert asked == []
    list(pieces)
    assert asked == ["big", "small", "half"]


def test_large_tensors_go_to_a_file_beside_the_model(tmp_path: Path) -> None:
    slim = write_external(skeleton(), make, tmp_path, "m.onnx.data")
    (tmp_path / "m.onnx").write_bytes(b"".join(model_pieces(slim, make)))
    assert (tmp_path / "m.onnx.data").stat().st_size == 4032 + 2048
    assert arrays(onnx.load(tmp_path / "m.onnx")) == WANTED
    places = {t.name: {e.key: e.value for e in t.external_data} for t in slim.graph.initializer}
    assert places["half"] == {"location": "m.onnx.data", "offset": "4032", "length": "2048"}
    assert places["small"] == {}


def test_data_of_another_length_is_refused(tmp_path: Path) -> None:
    def short(name: str) -> memoryview:
        return make(name)[:-1]

    with pytest.raises(CheckpointError, match="'big' has 3999 bytes, expected 4000"):
        list(model_pieces(skeleton(), short))
    with pytest.raises(CheckpointError, match="'big' has 3999 bytes, expected 4000"):
        write_external(skeleton(), short, tmp_path, "x")


def test_what_protocol_buffers_cannot_hold_is_refused_before_it_is_made() -> None:
    graph = onnx.GraphProto(name="g")
    graph.initializer.add(name="w", dims=[1 << 29], data_type=TensorProto.FLOAT)
    model = helper.make_model(graph)
    assert dense_bytes(model) == 1 << 31
    pieces = model_pieces(model, lambda _: pytest.fail("nothing may be made"))
    with pytest.raises(
        CheckpointError, match=r"more than an ONNX file can hold: .*--external-data"
    ):
        next(pieces)
