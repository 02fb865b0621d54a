import numpy as np
import pytest
from numpy.typing import NDArray

from freezepack.codecs.joint import (
    JointSpec,
    Units,
    arrange,
    encode_joint,
    find_units,
    measure_joint,
    reorder,
)

SHAPES = [(9, 1, 3, 3), (9,), (12, 9, 3, 3), (20, 48), (20,), (5, 20)]
SPECS = [JointSpec(shape) for shape in SHAPES]


def make_levels() -> list[NDArray[np.int64]]:
    """Integers of a network in which some units are dead and the others unequally dense."""
    generator = np.random.default_rng(4)
    density = [generator.permutation(np.linspace(-0.2, 0.6, n)) for n in (9, 12, 20)]
    chance = [np.full(shape, 1.0) for shape in SHAPES]
    for part, (rows, of_it, reads) in enumerate(((0, 1, 2), (2, None, 3), (3, 4, 5))):
        count = len(density[part])
        chance[rows] *= density[part].reshape(-1, *[1] * (len(SHAPES[rows]) - 1))
        if of_it is not None:
            chance[of_it] *= density[part] > 0
        grouped = chance[reads].reshape(SHAPES[reads][0], count, -1)
        grouped *= (density[part] > 0)[:, None]
    return [
        generator.integers(-2, 3, shape) * (generator.random(shape) < p)
        for shape, p in zip(SHAPES, chance, strict=True)
    ]


def run(levels: list[NDArray[np.int64]], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A network of two convolutions (3 x 3 on 6 x 6, 2 x 2 remains) and two matrices."""
    for weight, bias in ((levels[0], levels[1]), (levels[2], np.zeros(12))):
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        x = np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None]
        x = np.maximum(x, 0)
    hidden = np.maximum(levels[3] @ x.reshape(-1) + levels[4], 0)
    return np.asarray(levels[5] @ hidden, np.float64)


def test_units_of_a_chain_are_found() -> None:
    assert find_units(SPECS) == [Units((0, 1), (2,)), Units((2,), (3,)), Units((3, 4), (5,))]


def test_an_arranged_network_computes_the_same_and_is_smaller() -> None:
    levels, units = make_levels(), find_units(SPECS)
    x = np.random.default_rng(1).standard_normal((1, 6, 6))
    sizes = [len(encode_joint(levels, SPECS))]
    for tries in (0, 300):
        orders = arrange(levels, SPECS, units, tries=tries)
        assert [sorted(order.tolist()) for order in orders] == [
            [*range(9)],
            [*range(12)],
            [*range(20)],
        ]
        arranged = reorder(levels, units, orders)
        assert run(arranged, x).tolist() == pytest.approx(run(levels, x).tolist())
        sizes.append(len(encode_joint(arranged, SPECS)))
    assert sizes[0] > sizes[1] > sizes[2]


def test_the_same_seed_gives_the_same_order() -> None:
    levels, units = make_levels(), find_units(SPECS)
    first, again = (arrange(levels, SPECS, units, tries=40, seed=3) for _ in range(2))
    assert [order.tolist() for order in first] == [order.tolist() for order in again]


def test_dead_units_go_to_the_end_in_their_order() -> None:
    levels = [np.array([[0, 0], [1, 0], [0, 0], [2, 1]]), np.zeros((2, 4), np.int64)]
    specs = [JointSpec((4, 2)), JointSpec((2, 4))]
    (order,) = arrange(levels, specs, find_units(specs), tries=5)
    assert order.tolist()[2:] == [0, 2]


def test_a_base_is_refused() -> None:
    specs = [JointSpec((2, 2), lambda: np.zeros(4, np.uint32)), JointSpec((1, 2))]
    with pytest.raises(ValueError, match="tensor 0 has a base, whose elements cannot change"):
        arrange([np.ones((2, 2), int), np.ones((1, 2), int)], specs, find_units(specs))


def test_measured_bits_are_those_of_the_stream() -> None:
    levels = make_levels()
    assert abs(measure_joint(levels, SPECS) - 8 * len(encode_joint(levels, SPECS))) < 12
