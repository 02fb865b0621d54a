import numpy as np
import pytest

from freezepack.random.philox import make_words
from tests.unit.random import scalar


def hexes(*place: int) -> str:
    return " ".join(f"{word:08x}" for word in make_words(*place))


@pytest.mark.parametrize(
    ("seed", "stream", "block", "expected"),
    [
        (0, 0, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (2**64 - 1, 2**64 - 1, 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            0x299F31D0A4093822,
            0x0370734413198A2E,
            0x85A308D3243F6A88,
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(seed: int, stream: int, block: int, expected: str) -> None:
    assert hexes(seed, stream, 4 * block, 4) == expected


def test_a_run_may_begin_and_end_inside_a_block() -> None:
    whole = make_words(5, 6, 0, 16)
    for start in range(8):
        for count in range(8):
            part = make_words(5, 6, start, count)
            assert part.tolist() == whole[start : start + count].tolist()


def test_positions_beyond_the_low_counter_word() -> None:
    start = 2**34 - 2
    expected = [scalar.word(3, 2**40 + 1, start + i) for i in range(6)]
    assert make_words(3, 2**40 + 1, start, 6).tolist() == expected


def test_words_are_uint32() -> None:
    assert make_words(0, 0, 0, 0).dtype == np.uint32
