"""Patterns of partially frozen sources: exact counts, in the order that a file knows."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.errors import SelectionError, UnknownNameError
from freezepack.random.seeded import seeded_order
from freezepack.selection.pattern import draw_patterns

SHAPES = {"conv1": (20, 1, 5, 5), "conv2": (50, 20, 5, 5), "fc1": (500, 800), "fc2": (10, 500)}
STREAMS = {name: rank for rank, name in enumerate(SHAPES)}


@pytest.mark.parametrize("distribution", ["erk", "equal", "uniform"])
@pytest.mark.parametrize(("prune", "lock"), [("0.35", "0.35"), (0, 0.7), (0.5, 0), (0, 0)])
def test_counts_are_exact_and_every_position_is_in_one_part(
    distribution: str, prune: float, lock: float
) -> None:
    patterns = draw_patterns(SHAPES, STREAMS, 3, prune=prune, lock=lock, distribution=distribution)
    free = sum(len(p.free) for p in patterns.values())
    pruned = sum(len(p.pruned) for p in patterns.values())
    size = sum(map(prod, SHAPES.values()))
    assert free == round(size * (1 - float(prune) - float(lock)))
    assert abs(pruned - size * float(prune)) <= len(SHAPES)
    for name, pattern in patterns.items():
        together = np.concatenate([pattern.pruned, pattern.locked, pattern.free])
        assert sorted(together.tolist()) == list(range(prod(SHAPES[name])))


def test_positions_are_the_first_of_the_seeded_order() -> None:
    pattern = draw_patterns({"w": (10, 20)}, {"w": 3}, 7, prune=0.2, lock=0.15)["w"]
    order = seeded_order(200, 7, 2**63 + 3)
    assert pattern.pruned.tolist() == sorted(order[:40].tolist())
    assert pattern.locked.tolist() == sorted(order[40:70].tolist())
    # the beginning of the order as the specification of the codec gives it
    assert order[:5].tolist() == [149, 131, 38, 101, 49]


def test_each_unit_of_a_large_tensor_has_its_share() -> None:
    shape = (1200, 1024)  # 1,024 rows in the first unit
    pattern = draw_patterns({"w": shape}, {"w": 0}, 1, prune=0.25, lock=0.25)["w"]
    first = (pattern.pruned < 2**20).sum(), (pattern.locked < 2**20).sum()
    assert first == (2**18, 2**18)
    assert len(pattern.pruned) == len(pattern.locked) == prod(shape) // 4


@given(st.integers(0, 60), st.integers(0, 39), st.sampled_from(["erk", "equal", "uniform"]))
def test_any_shares_give_a_pattern(prune: int, lock: int, distribution: str) -> None:
    shapes = {"a": (3, 4), "b": (2, 3, 2, 2), "c": (7, 11)}
    streams = {"a": 0, "b": 1, "c": 2}
    shares = {"prune": prune / 100, "lock": lock / 100}
    patterns = draw_patterns(shapes, streams, 5, **shares, distribution=distribution)
    for name, pattern in patterns.items():
        parts = (pattern.pruned, pattern.locked, pattern.free)
        assert sum(map(len, parts)) == prod(shapes[name])


def test_impossible_shares_and_unknown_distributions_are_refused() -> None:
    with pytest.raises(SelectionError, match=r"0\.5 and 0\.5, expected 0 or more, together below"):
        draw_patterns({"w": (4, 4)}, {"w": 0}, 1, prune=0.5, lock=0.5)
    with pytest.raises(SelectionError, match="expected 0 or more"):
        draw_patterns({"w": (4, 4)}, {"w": 0}, 1, prune=-0.1)
    with pytest.raises(SelectionError, match="a share is nan, expected a decimal number"):
        draw_patterns({"w": (4, 4)}, {"w": 0}, 1, lock=float("nan"))
    with pytest.raises(UnknownNameError, match="no budget of layers named 'igq'"):
        draw_patterns({"w": (4, 4)}, {"w": 0}, 1, distribution="igq")
