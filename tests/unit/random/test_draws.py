import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from freezepack.random.draws import normal_integers, truncated_integers, uniform_integers
from freezepack.random.philox import make_words
from tests.unit.random import scalar

CUTS = {1: 1_362_838_254, 2: 195_422_145, 3: 11_595_536}
word_lists = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20)


def array(words: list[int]) -> NDArray[np.uint32]:
    return np.array(words, np.uint32)


def test_normal_integers_of_known_words() -> None:
    words = [0, 1, 2, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x12345678, 0x40000001]
    expected = [13291661, -13291661, 12931945, -12931945, -1414508, 1414508, 0, 0, 3784865]
    assert normal_integers(array(words)).tolist() == [*expected, -2412458]


def test_the_first_integers_of_seed_0() -> None:
    words = make_words(0, 0, 0, 8)
    normal = [-1768589, -315213, 707878, 1083235, 72979, -1911331, -825290, -4371980]
    uniform = [-3387439, 12768139, 7909209, 3539383, 15845785, -4627455, 6507241, -15532545]
    assert normal_integers(words).tolist() == normal
    assert uniform_integers(words).tolist() == uniform


@given(word_lists)
def test_uniform_and_normal_follow_the_specification(words: list[int]) -> None:
    uniform = [scalar.integer("uniform", word) for word in words]
    normal = [scalar.integer("normal", word) for word in words]
    assert uniform_integers(array(words)).tolist() == uniform
    assert normal_integers(array(words)).tolist() == normal


@given(word_lists, st.integers(1, 2**32 - 1))
def test_truncated_normal_follows_the_specification(words: list[int], tail: int) -> None:
    expected = [scalar.integer("truncated_normal", word, tail) for word in words]
    assert truncated_integers(array(words), tail).tolist() == expected


def test_words_are_left_as_they_were() -> None:
    words = make_words(0, 0, 0, 8)
    before = words.tolist()
    uniform_integers(words)
    normal_integers(words)
    truncated_integers(words, 5)
    assert words.tolist() == before


@pytest.mark.parametrize("cut", CUTS)
def test_a_truncated_normal_stays_within_its_cut(cut: int) -> None:
    # All words near the end of the tail, and many others.
    words = np.concatenate([np.arange(2**16, dtype=np.uint32), make_words(1, 0, 0, 2**20)])
    k = truncated_integers(words, CUTS[cut])
    assert np.abs(k).max() <= cut * 2**21 + 12


@pytest.mark.parametrize(("cut", "variance"), [(1, 0.2911251), (2, 0.7737413), (3, 0.9733369)])
def test_a_truncated_normal_has_the_right_variance(cut: int, variance: float) -> None:
    k = truncated_integers(make_words(2, 0, 0, 2**21), CUTS[cut]) * 2.0**-21
    # Standard error of the mean is below 0.0007, that of the variance below 0.001.
    assert abs(k.mean()) < 0.003
    assert abs(k.var() - variance) < 0.004


def test_moments_of_the_normal_and_uniform_draws() -> None:
    words = make_words(3, 0, 0, 2**21)
    z = normal_integers(words) * 2.0**-21
    u = uniform_integers(words) * 2.0**-24
    assert abs(z.mean()) < 0.003
    assert abs(z.var() - 1) < 0.004
    assert abs((z**4).mean() - 3) < 0.03
    assert abs(u.mean()) < 0.0016
    assert abs(u.var() - 1 / 3) < 0.001


@pytest.mark.slow
def test_normal_integers_have_the_range_and_variance_stated() -> None:
    # Every 64th of the 2**31 possible v.
    total, largest = 0.0, 0
    for start in range(0, 2**32, 2**26):
        v = np.arange(start + 1, start + 2**26, 128, dtype=np.uint32)
        k = normal_integers(v).astype(np.float64)
        assert (k <= 0).all()
        largest = max(largest, int(-k.min()))
        total += float((k * k).sum())
    assert largest == 13291661
    assert abs(total / 2**25 / 2**42 - 1) < 1e-4
