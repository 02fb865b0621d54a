"""The generator as functions: known answers, in two arithmetics and two runtimes."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from freezepack.export.compact.functions import ARITHMETICS, DOMAIN, make_functions
from freezepack.export.compact.generator import table_rows
from freezepack.random.draws import normal_integers, truncated_integers, uniform_integers
from freezepack.types import Draw
from tests.unit.export.compact.models import run, run_reference

TYPES = {"i64": np.int64, "u64": np.uint64}
TAIL = 195_422_145
EDGES = [0, 1, 2, 3, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF, 0x12345678]


def call(name: str, inputs: list[NDArray[Any]], arithmetic: str, kind: int) -> ModelProto:
    """Return a model that calls one function on constants."""
    names = [f"x{i}" for i in range(len(inputs))]
    node = helper.make_node(name, names, ["y"], domain=DOMAIN)
    tensors = [numpy_helper.from_array(x, n) for x, n in zip(inputs, names, strict=True)]
    graph = helper.make_graph(
        [node], "g", [], [helper.make_tensor_value_info("y", kind, None)], tensors
    )
    return helper.make_model(
        graph,
        functions=make_functions([Draw.uniform, Draw.normal, Draw.truncated_normal], arithmetic),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(DOMAIN, 1)],
        ir_version=8,
    )


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_words_are_those_of_philox(arithmetic: str) -> None:
    word = TYPES[arithmetic]
    pi = [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0]
    columns = [[0, 0xFFFFFFFF, p] for p in pi]
    lanes = [np.array(column, word).reshape(3, 1) for column in columns]
    model = call("Words", lanes, arithmetic, 13 if arithmetic == "u64" else 7)
    for words in (run(model)[0], run(model, optimised=True)[0], run_reference(model)[0]):
        assert [f"{w:08x}" for w in words.tolist()] == [
            *("6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"),
            *("408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"),
            *("d16cfe09", "94fdcceb", "5001e420", "24126ea1"),
        ]


def edge_words() -> NDArray[np.uint32]:
    """Return words at and beside all powers of two, and random ones."""
    powers = [1 << i for i in range(32)]
    beside = [p + d for p in powers for d in (-2, -1, 0, 1, 2) if 0 <= p + d < 1 << 32]
    drawn = np.random.default_rng(0).integers(0, 1 << 32, 20_000)
    return np.array([*EDGES, *beside, *drawn.tolist()], np.uint32)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("name", ["Uniform", "Normal", "Truncated"])
def test_integers_are_those_of_the_reference(name: str, arithmetic: str) -> None:
    word, words = TYPES[arithmetic], edge_words()
    inputs: dict[str, list[NDArray[Any]]] = {
        "Uniform": [],
        "Normal": [table_rows()],
        "Truncated": [np.array(TAIL, word), table_rows()],
    }
    expected = {
        "Uniform": uniform_integers(words.copy()),
        "Normal": normal_integers(words),
        "Truncated": truncated_integers(words, TAIL),
    }[name].astype(np.int64)
    model = call(name, [words.astype(word), *inputs[name]], arithmetic, 7)
    assert np.array_equal(run(model)[0].view(np.int64), expected)
    assert np.array_equal(run_reference(model)[0].view(np.int64), expected)


@pytest.mark.parametrize("tail", [1, 2, 1 << 16, (1 << 31) + 1, (1 << 32) - 1])
def test_truncated_draws_are_right_for_every_tail(tail: int) -> None:
    words = edge_words()
    inputs: list[NDArray[Any]] = [words.astype(np.int64), np.array(tail, np.int64), table_rows()]
    found = run(call("Truncated", inputs, "i64", 7))[0].view(np.int64)
    assert np.array_equal(found, truncated_integers(words, tail).astype(np.int64))


def test_only_what_is_needed_is_there() -> None:
    names = [[f.name for f in make_functions([draw], "i64")] for draw in (Draw.sign, Draw.normal)]
    assert names == [
        ["Half", "Round", "Rounds", "Words", "Signs"],
        ["Half", "Round", "Rounds", "Words", "Step", "Octave", "Normal"],
    ]
    assert [f.name for f in make_functions([Draw.normal, Draw.truncated_normal], "i64")][4:] == [
        "Step",
        "Octave",
        "Normal",
        "Truncated",
    ]
