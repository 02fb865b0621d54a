"""Weights that flip are held where they are most of the time."""

import pytest
import torch

from freezepack.rate.settling import Settling, threshold_at


def flip(settling: Settling, steps: int) -> None:
    """Let element 0 go back and forth, 1 grow once, and 2 rest."""
    before = torch.zeros(3)
    for step in range(1, steps + 1):
        now = torch.tensor([float(step % 4 != 0), 1.0, 0.0])
        settling.watch(before, now)
        before = now


def test_only_what_goes_back_and_forth_is_held_and_at_its_usual_integer() -> None:
    settling = Settling(torch.zeros(3), memory=0.05)
    flip(settling, 200)
    new, levels = settling.hold(0.1)
    assert new.tolist() == [True, False, False]
    assert levels.tolist() == [1.0, 1.0, 0.0]
    assert settling.held.tolist() == [True, False, False]


def test_nothing_is_new_twice() -> None:
    settling = Settling(torch.zeros(3), memory=0.05)
    flip(settling, 200)
    settling.hold(0.1)
    assert not settling.hold(0.1)[0].any()


def test_a_weight_that_flips_half_of_the_time_is_seen_as_such() -> None:
    settling = Settling(torch.zeros(3), memory=0.05)
    flip(settling, 400)
    # two changes in four steps, all but the very first in the other direction
    assert settling.state()["flips"][0].item() == pytest.approx(0.5, abs=0.05)
    assert settling.state()["flips"][1:].tolist() == [0.0, 0.0]


def test_the_state_goes_on_where_it_was() -> None:
    one, other = Settling(torch.zeros(3)), Settling(torch.zeros(3))
    flip(one, 30)
    other.load_state(one.state())
    flip(one, 10)
    flip(other, 10)
    for name, value in one.state().items():
        assert torch.equal(value, other.state()[name]), name


def test_the_threshold_falls() -> None:
    assert threshold_at(0.0) == 0.04
    assert threshold_at(0.5) == pytest.approx(0.0225)
    assert threshold_at(1.0) == 0.005
