"""Outputs of onnxruntime are held against torch's."""

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from freezepack.errors import CheckpointError, VerificationError
from freezepack.export.onnx_check import Comparison, Reference, compare, random_inputs
from freezepack.export.onnx_valid import open_session

WEIGHT = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def linear(weight: Tensor = WEIGHT, operator: str = "Gemm") -> bytes:
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", 2]) for n in "xy"]
    node = helper.make_node(operator, ["x", "w"], ["y"], transB=1)
    tensors = [numpy_helper.from_array(weight.numpy(), "w")]
    graph = helper.make_graph([node], "g", values[:1], values[1:], tensors)
    opset = [helper.make_opsetid("", 18)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opset, ir_version=8)
    data: bytes = model.SerializeToString()
    return data


REFERENCE = Reference(nn.Linear(2, 2, bias=False, device="meta"), {"weight": WEIGHT})
INPUTS = [(torch.tensor([[1.0, 0.0]]),), (torch.tensor([[0.0, 1.0], [2.0, -1.0]]),)]


def check(weight: Tensor, bound: float | None = None) -> Comparison:
    return compare(open_session(linear(weight)), REFERENCE, INPUTS, "inputs", bound)


def test_equal_models_compare_as_equal() -> None:
    assert check(WEIGHT) == Comparison("inputs", 3, 0.0, 4.0, 3)


def test_differences_are_measured_over_all_batches() -> None:
    other = WEIGHT.clone()
    other[1, 1] = 4.5
    found = check(other, bound=0.125)
    assert found == Comparison("inputs", 3, 0.5, 4.0, 3)
    assert found.relative == 0.125


def test_a_difference_beyond_the_bound_is_an_error() -> None:
    other = WEIGHT.clone()
    other[1, 1] = 4.5
    wanted = r"inputs: onnxruntime and torch differ by 0\.5, 0\.125 of the largest output; "
    with pytest.raises(VerificationError, match=wanted + r"0\.0001 is allowed"):
        check(other)
    with pytest.raises(VerificationError, match=wanted + r"0\.124 is allowed"):
        check(other, bound=0.124)


def test_top_1_counts_examples() -> None:
    found = check(WEIGHT.flip(0), bound=10)
    assert (found.equal, found.examples) == (0, 3)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_numbers_are_never_close(value: float) -> None:
    other = WEIGHT.clone()
    other[0, 0] = value
    with pytest.raises(VerificationError, match="inputs: outputs differ in NaN or infinity"):
        check(other, bound=1e9)


def test_equal_infinities_are_no_difference() -> None:
    weight = WEIGHT.clone()
    weight[0] = float("inf")
    reference = Reference(REFERENCE.module, {"weight": weight})
    found = compare(open_session(linear(weight)), reference, INPUTS[1:], "inputs")
    assert (found.difference, found.largest) == (0.0, 4.0)


def test_inputs_that_do_not_fit_are_named() -> None:
    session = open_session(linear())
    with pytest.raises(CheckpointError, match="torch cannot run the network on mnist: "):
        compare(session, REFERENCE, [(torch.zeros(1, 3),)], "mnist")


def test_an_operator_that_the_runtime_lacks_is_named() -> None:
    with pytest.raises(
        CheckpointError, match=r"onnxruntime cannot load the model: .*Gemn.*--no-run"
    ):
        open_session(linear(operator="Gemn"))


def test_random_inputs_come_as_one_and_as_many() -> None:
    examples: tuple[Any, ...] = (torch.zeros(1, 3, device="meta"), torch.tensor([[5], [6]]), 7)
    first, second = random_inputs(examples)
    assert [tuple(first[0].shape), tuple(second[0].shape)] == [(1, 3), (16, 3)]
    assert first[1].tolist() == [[5]]
    assert second[1].flatten().tolist() == [5, 6] * 8
    assert (first[2], second[2]) == (7, 7)
    again = next(random_inputs(examples))
    assert np.array_equal(first[0].numpy(), again[0].numpy())
