"""Every peer that is installed returns the mask that it was given."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from freezepack.bench.peers import PEERS
from freezepack.bench.peers.base import Peer, from_gaps, join, split, to_gaps
from freezepack.bench.peers.rice import RICE, choose_parameters
from freezepack.bench.peers.zstd import read_varints, write_varints

SIZES = (300, 1, 70, 5000, 8)
MASKS = st.lists(st.integers(0, sum(SIZES) - 1), min_size=1, max_size=400, unique=True)


def parts_of(positions: list[int]) -> list[NDArray[np.uint32]]:
    return split(np.array(sorted(positions), np.uint32), SIZES)


@pytest.mark.parametrize("name", list(PEERS))
@given(positions=MASKS)
def test_the_mask_comes_back(name: str, positions: list[int]) -> None:
    package = PEERS[name].source
    if package and find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    peer: Peer = PEERS.get_part(name)
    parts = parts_of(positions)
    decoded = peer.decode(peer.encode(parts, SIZES), SIZES)
    assert [part.tolist() for part in decoded] == [part.tolist() for part in parts]


@given(MASKS)
def test_joining_undoes_splitting_and_gaps_are_undone(positions: list[int]) -> None:
    ordered = np.array(sorted(positions), np.uint32)
    assert join(split(ordered, SIZES), SIZES).tolist() == ordered.tolist()
    assert from_gaps(to_gaps(ordered)).tolist() == ordered.tolist()


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1))
def test_varints_come_back(numbers: list[int]) -> None:
    assert read_varints(write_varints(np.array(numbers, np.uint32))).tolist() == numbers


def test_varints_grow_at_powers_of_128() -> None:
    lengths = [len(write_varints(np.array([n], np.uint32))) for n in (127, 128, 16383, 16384)]
    assert lengths == [1, 2, 2, 3]
    assert write_varints(np.array([2**32 - 1], np.uint32)).hex() == "ffffffff0f"


def test_rice_takes_a_parameter_for_sixteen_gaps() -> None:
    # 4 bytes of count; 32 gaps of 6: parameter 2 with 2 + 2 bits each, changes of 2 and 0
    parts = [from_gaps(np.full(32, 6, np.uint32))]
    assert choose_parameters(np.full(32, 6)).tolist() == [2, 2]
    assert len(RICE.encode(parts, [200])) == 4 + (4 + 1 + 32 * (2 + 2) + 7) // 8
