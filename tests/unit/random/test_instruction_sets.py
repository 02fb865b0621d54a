"""Every instruction set of the kernel gives the bits of the reference."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezepack import native
from freezepack.digest import digest_tiles
from freezepack.random import fill_raw, words
from freezepack.random.draws import normal_integers, truncated_integers, uniform_integers
from freezepack.types import Draw, DType, Init
from tests.unit.random.test_raw import FLOATS, SEEDS, inits, starts
from tests.unit.random.test_vectors import draw, hexes, load, place

# The instruction set stays as the fixture chose it for all examples of a test.
all_examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=native.instruction_sets(), autouse=True)
def chosen(request: pytest.FixtureRequest) -> Iterator[str]:
    before = native.get_instruction_set()
    assert before is not None
    native.set_instruction_set(request.param)
    yield request.param
    native.set_instruction_set(before)


@all_examples
@given(inits(), FLOATS, SEEDS, starts(), st.integers(0, 5000))
def test_draws(init: Init, dtype: DType, seed: int, start: int, size: int) -> None:
    found, expected = np.empty(size, dtype.raw), np.empty(size, dtype.raw)
    fill_raw(found, dtype, key=seed, init=init, start=start, backend="native")
    fill_raw(expected, dtype, key=seed, init=init, start=start, backend="numpy")
    assert found.tobytes() == expected.tobytes()


@all_examples
@given(SEEDS, SEEDS, starts(), st.integers(0, 5000))
def test_words(key: int, stream: int, start: int, size: int) -> None:
    found, expected = np.empty(size, np.uint32), np.empty(size, np.uint32)
    words(found, key=key, stream=stream, start=start, backend="native")
    words(expected, key=key, stream=stream, start=start, backend="numpy")
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
@pytest.mark.parametrize("start", [0, 1, 6, 1023, 2**34 - 3])
def test_a_fill_writes_its_elements_and_no_more(start: int, dtype: str) -> None:
    kind = DType[dtype]
    for number in (Draw.uniform, Draw.normal, Draw.truncated_normal, Draw.sign):
        init = Init(number, 0x35000000, 5 if number == Draw.truncated_normal else 0, 2**62)
        for size in [0, 1, 7, 8, 15, 16, 31, 63, 64, 65, 127, 129, 1023, 1025]:
            room = np.full(size + 2, 0x5A, np.uint8).astype(kind.raw)
            expected = room.copy()
            fill_raw(room[1:-1], kind, key=1, init=init, start=start, backend="native")
            fill_raw(expected[1:-1], kind, key=1, init=init, start=start, backend="numpy")
            assert room.tolist() == expected.tolist()


def test_octaves_far_from_the_middle() -> None:
    # Half a million words: octaves up to 18 occur, in all places of a vector.
    drawn = np.empty(1 << 19, np.uint32)
    words(drawn, key=3, stream=4, backend="numpy")
    assert np.count_nonzero(drawn < 2**14) > 0
    for number, expected in [
        (Draw.normal, normal_integers(drawn)),
        (Draw.truncated_normal, truncated_integers(drawn, 1)),
        (Draw.uniform, uniform_integers(drawn)),
    ]:
        found = np.empty(drawn.size, np.uint32)
        init = Init(number, 0x3F800000, int(number == Draw.truncated_normal), 4)
        fill_raw(found, DType.float32, key=3, init=init, backend="native")
        assert (found.view(np.float32).astype(np.int32) == expected).all()


@pytest.mark.parametrize("tail", [1, 2, 3, 5, 2**31, 2**32 - 2, 2**32 - 1])
@pytest.mark.parametrize("dtype", [DType.float32, DType.float64])
def test_tails_at_their_ends(tail: int, dtype: DType) -> None:
    init = Init(Draw.truncated_normal, 0x3F800000, tail)
    found, expected = np.empty(3000, dtype.raw), np.empty(3000, dtype.raw)
    fill_raw(found, dtype, key=0, init=init, backend="native")
    fill_raw(expected, dtype, key=0, init=init, backend="numpy")
    assert found.tolist() == expected.tolist()


def test_published_words() -> None:
    for case in load("words.json"):
        if "stream" in case:
            seed, stream, start = place(case)
            out = np.empty(len(case["words"]), np.uint32)
            words(out, key=seed, stream=stream, start=start, backend="native")
            assert hexes(out) == case["words"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
def test_published_draws(dtype: str) -> None:
    for case in load("draws.json"):
        assert hexes(draw(case, DType[dtype], len(case[dtype]), "native")) == case[dtype]


def test_published_hashes() -> None:
    for case in load("long.json"):
        out = draw(case, DType[case["dtype"]], case["size"], "native")
        assert hashlib.sha256(out.tobytes()).hexdigest() == case["sha256"]


@all_examples
@given(st.integers(0, 20_000), st.integers(0, 7), st.integers(0, 2**40), SEEDS)
def test_digests(size: int, offset: int, first_tile: int, seed: int) -> None:
    data = np.random.default_rng(seed).integers(0, 256, size + offset, np.uint8)[offset:]
    expected = digest_tiles(data, first_tile, "numpy")
    assert digest_tiles(data, first_tile, "native") == expected
