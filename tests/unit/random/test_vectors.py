"""formats/vectors/generators against the reference and the kernel."""

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from freezepack import native
from freezepack.digest import content_digest, digest_tiles
from freezepack.random import fill_raw, permutation, smallest_words, words
from freezepack.random.draws import normal_integers, truncated_integers, uniform_integers
from freezepack.random.narrow import narrow
from freezepack.random.philox import make_words
from freezepack.types import Draw, DType, Init, TensorSpec
from tests.unit.random import scalar

needs_kernel = pytest.mark.skipif(native.library() is None, reason=native.status())
backends = pytest.mark.parametrize("backend", ["numpy", pytest.param("native", marks=needs_kernel)])
Case = dict[str, Any]


def load(name: str) -> list[Case]:
    folder = scalar.ROOT / "formats" / "vectors" / "generators"
    cases: list[Case] = json.loads((folder / name).read_text())
    return cases


def hexes(values: Any) -> list[str]:
    return [f"{int(value):0{2 * values.itemsize}x}" for value in values]


def place(case: Case) -> tuple[int, int, int]:
    return int(case["seed"], 16), int(case["stream"], 16), int(case["start"], 16)


def draw(case: Case, dtype: DType, size: int, backend: str) -> Any:
    seed, stream, start = place(case)
    init = Init(Draw[case["draw"]], int(case["scale"], 16), case["tail"], stream)
    out = np.empty(size, dtype.raw)
    fill_raw(out, dtype, key=seed, init=init, start=start, backend=backend)
    return out


def test_every_file_has_a_test() -> None:
    folder = scalar.ROOT / "formats" / "vectors" / "generators"
    found = sorted(path.name for path in folder.iterdir())
    assert found == sorted(
        f"{name}.json"
        for name in ("words", "integers", "draws", "narrowing", "long", "orders", "digests")
    )
    assert all(f"`{name}`" in scalar.SPECIFICATION for name in found)


def test_blocks() -> None:
    cases = [case for case in load("words.json") if "counter" in case]
    assert len(cases) == 3
    for case in cases:
        counter = tuple(int(word, 16) for word in case["counter"])
        key = tuple(int(word, 16) for word in case["key"])
        position = 4 * (counter[0] + (counter[1] << 32))
        found = make_words(key[0] + (key[1] << 32), counter[2] + (counter[3] << 32), position, 4)
        assert hexes(found) == case["words"]
        assert [f"{word:08x}" for word in scalar.block(counter, key)] == case["words"]


@backends
def test_words(backend: str) -> None:
    cases = [case for case in load("words.json") if "stream" in case]
    assert len(cases) == 9
    for case in cases:
        seed, stream, start = place(case)
        out = np.empty(len(case["words"]), np.uint32)
        words(out, key=seed, stream=stream, start=start, backend=backend)
        assert hexes(out) == case["words"]
        assert [f"{scalar.word(seed, stream, start + i):08x}" for i in range(11)] == case["words"]


def test_integers() -> None:
    for case in load("integers.json"):
        word, tail = int(case["word"], 16), case.get("tail", 0)
        array = np.array([word], np.uint32)
        if case["draw"] == "truncated_normal":
            found = truncated_integers(array, tail)
        else:
            found = {"uniform": uniform_integers, "normal": normal_integers}[case["draw"]](array)
        assert found.tolist() == [case["k"]]
        assert scalar.integer(case["draw"], word, tail) == case["k"]


@backends
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
def test_draws(backend: str, dtype: str) -> None:
    cases = load("draws.json")
    assert {case["draw"] for case in cases} == set(Draw.__members__)
    for case in cases:
        assert hexes(draw(case, DType[dtype], len(case[dtype]), backend)) == case[dtype]


def test_narrowing() -> None:
    for case in load("narrowing.json"):
        pattern = np.array([int(case["float32"], 16)], np.uint32)
        for name, expected in case.items():
            assert hexes(narrow(pattern, DType[name])) == [expected]


@backends
def test_long(backend: str) -> None:
    cases = load("long.json")
    hashes = {case["sha256"] for case in cases if case["dtype"] == "float32"}
    assert hashes >= {
        "1ef239fc1cca1848abe4542b4aa43d01926de1fa54e37fb0c62d04e0d68a11fa",
        "7034dc52a8069c73f6290aeb479a184c2ea22d35cd7b24f14a61fa1b0e9a2119",
    }
    for case in cases:
        out = draw(case, DType[case["dtype"]], case["size"], backend)
        assert hashlib.sha256(out.tobytes()).hexdigest() == case["sha256"]


def test_orders() -> None:
    for case in load("orders.json"):
        seed, stream, start = place(case)
        if "order" in case:
            assert permutation(case["size"], seed=seed, stream=stream).tolist() == case["order"]
        else:
            found = smallest_words(seed, stream, start, case["size"], case["count"])
            assert found.tolist() == case["smallest"]


@backends
def test_digests(backend: str) -> None:
    for case in load("digests.json"):
        if "bytes" in case:
            data = bytes.fromhex(case["bytes"]) * case["repeat"]
            found = digest_tiles(data, 0, backend)
        else:
            found = content_digest(
                (TensorSpec(t["name"], tuple(t["shape"]), DType(t["dtype"])), int(t["digest"], 16))
                for t in case["tensors"]
            )
        assert f"{found:016x}" == case["digest"]


def test_the_examples_of_the_specification_are_true() -> None:
    seed, stream, position = 0x0123456789ABCDEF, 7, 2**40 + 5
    assert scalar.word(seed, stream, position) == 0xB1EAF0C2
    init = Init(Draw.normal, 0x3223D70A, stream=stream)
    expected = {"float32": 0x3C007B33, "bfloat16": 0x3C00, "float16": 0x2004}
    for name, pattern in {**expected, "float64": 0x3F800F6660000000}.items():
        out = np.empty(1, DType[name].raw)
        fill_raw(out, DType[name], key=seed, init=init, start=position)
        assert out.tolist() == [pattern]
        assert f"0x{pattern:x}" in scalar.SPECIFICATION
    signs = np.empty(8, np.uint32)
    fill_raw(signs, DType.float32, key=0, init=Init(Draw.sign, 0x3F800000))
    assert (signs >> 31).tolist() == [1, 0, 1, 0, 1, 0, 1, 1]
