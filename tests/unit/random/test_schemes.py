import math

import numpy as np
import pytest
import torch

from freezepack.errors import UnknownNameError
from freezepack.random import SCHEMES
from freezepack.random.schemes import fans
from freezepack.types import Draw

SHAPES = [(300, 784), (20, 1, 5, 5), (50, 20, 5, 5), (2, 3), (7, 4, 3)]


@pytest.mark.parametrize(
    ("name", "draw", "bits"),
    [
        ("xavier_normal", Draw.normal, 0x3D2FF032),
        ("xavier_uniform", Draw.uniform, 0x3D985DF4),
        ("kaiming_normal", Draw.normal, 0x3D4EE116),
        ("kaiming_uniform", Draw.uniform, 0x3DB329A5),
        ("signed_constant", Draw.sign, 0x3D4EE116),
    ],
)
def test_scale_bits_of_a_linear_layer(name: str, draw: Draw, bits: int) -> None:
    found, scale = SCHEMES.get_part(name)((300, 784))
    assert found == draw
    assert int(scale.view(np.uint32)) == bits


@pytest.mark.parametrize("shape", SHAPES)
def test_fans_are_those_of_torch(shape: tuple[int, ...]) -> None:
    expected = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert fans(shape) == expected


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_gives_a_positive_float32(name: str, shape: tuple[int, ...]) -> None:
    draw, scale = SCHEMES.get_part(name)(shape)
    assert isinstance(draw, Draw)
    assert isinstance(scale, np.float32)
    assert 0 < scale < math.inf


@pytest.mark.parametrize("shape", [(), (5,), (0, 3), (3, 0)])
def test_shapes_without_fans_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected two or more dimensions, none of them 0"):
        fans(shape)


def test_an_unknown_scheme_has_a_hint() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'xavier_normal'\?"):
        SCHEMES.get_part("xavier_norml")
