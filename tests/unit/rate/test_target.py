"""A size is reached by a network that behaves like one: it shrinks late and never grows."""

from math import exp, log

import pytest

from freezepack.rate.target import TargetControl


def train(control: TargetControl, weight: float, lag: float = 0.1, grows: bool = False) -> float:
    """Return the size at the end; sizes follow weight ** -0.6 with a delay."""
    size, steps = 3000.0, 200
    for step in range(steps):
        part = step / steps
        weight = control.adapt(weight, size, part)
        wanted = log(900 * (weight / 1e-4) ** -0.6)
        change = (wanted - log(size)) / (lag * steps)
        size *= exp(change if change < 0 or grows else 0.0)
    return size


@pytest.mark.parametrize("target", [600, 900, 1400, 2000])
@pytest.mark.parametrize("start", [1e-6, 1e-5, 3e-5])
def test_a_network_that_only_shrinks_ends_a_little_below_its_target(
    target: int, start: float
) -> None:
    assert 0.9 * target < train(TargetControl(target), start) <= 1.03 * target


def test_a_weight_that_is_too_high_is_lowered_if_the_network_can_grow() -> None:
    assert 0.9 * 900 < train(TargetControl(900), 1e-3, grows=True) <= 1.03 * 900


def test_the_curve_begins_at_the_first_size_and_ends_below_the_target() -> None:
    control = TargetControl(1000)
    control.adapt(1.0, 4000, 0.0)
    sizes = [control.wanted(part / 20) for part in range(21)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(4000 * 1.06)
    assert sizes[-1] == pytest.approx(985)


def test_a_network_on_its_curve_keeps_its_weight_and_a_larger_one_pays_more() -> None:
    for factor, compare in ((1.0, 0), (1.2, 1), (0.8, -1)):
        control = TargetControl(1000)
        size = control.wanted(0.9) * factor
        control.adapt(1.0, size, 0.89)
        weight = control.adapt(1.0, size, 0.9)
        assert (weight > 1.02) - (weight < 0.98) == compare


def test_the_weight_stays_at_the_end() -> None:
    control = TargetControl(1000)
    control.adapt(1.0, 2000, 0.96)
    assert control.adapt(1.0, 2000, 0.97) == 1.0


def test_the_state_goes_on() -> None:
    one, other = TargetControl(1000), TargetControl(1000)
    for part in (0.1, 0.2, 0.3):
        one.adapt(1.0, 3000 - 1000 * part, part)
    other.load_state(one.state())
    assert one.adapt(1.0, 2600, 0.4) == other.adapt(1.0, 2600, 0.4)
