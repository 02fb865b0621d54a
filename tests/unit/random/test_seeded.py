import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.random import permutation, smallest_words
from freezepack.random.philox import make_words


def test_the_order_of_the_specification() -> None:
    assert permutation(8, seed=0, stream=2**63).tolist() == [3, 4, 1, 2, 7, 5, 6, 0]
    assert smallest_words(0, 2**63, 0, 8, 3).tolist() == [1, 3, 4]


@given(st.integers(0, 2**64 - 1), st.integers(0, 300), st.integers(0, 10**6), st.data())
def test_smallest_words_are_the_first_of_the_order(
    seed: int, size: int, start: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, size))
    drawn = make_words(seed, 2**63, start, size).tolist()
    order = sorted(range(size), key=lambda i: (drawn[i], i))
    found = smallest_words(seed, 2**63, start, size, count)
    assert found.tolist() == sorted(order[:count])
    assert found.dtype == np.uint32


def test_equal_words_are_taken_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def words(out: "np.ndarray[tuple[int], np.dtype[np.uint32]]", **_: int) -> None:
        out[:] = np.array([5, 2, 5, 2, 2, 9], np.uint32)

    monkeypatch.setattr("freezepack.random.seeded.words", words)
    assert smallest_words(0, 0, 0, 6, 2).tolist() == [1, 3]
    assert smallest_words(0, 0, 0, 6, 4).tolist() == [0, 1, 3, 4]
    assert permutation(6, seed=0, stream=0).tolist() == [1, 3, 4, 0, 2, 5]


def test_a_long_order_holds_every_position() -> None:
    order = permutation(100_000, seed=1, stream=2**63 + 2**62)
    assert order.dtype == np.int64
    assert np.bincount(order, minlength=100_000).tolist() == [1] * 100_000


def test_counts_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="count is 9, expected 0 to 8"):
        smallest_words(0, 0, 0, 8, 9)
    with pytest.raises(ValueError, match="size is -1, expected 0 to 4294967295"):
        smallest_words(0, 0, 0, -1, 0)
    with pytest.raises(ValueError, match="n is -1, expected 0 to 4294967295"):
        permutation(-1, seed=0, stream=0)
