"""Initialization schemes: from a shape to a draw and its scale.

Recipes only: a file holds the draw and the resolved scale, so a new scheme changes no format.
The scale is computed in float64 with + - * / and square root alone, whose results are the same
everywhere, and rounded once to float32.
"""

import math

import numpy as np

from freezepack.registry import Entry, Registry
from freezepack.types import Draw

_HERE = "freezepack.random.schemes"
_GLOROT = "Glorot and Bengio, AISTATS 2010"
_HE = "arXiv:1502.01852"

SCHEMES = Registry(
    "scheme",
    {
        "xavier_normal": Entry(f"{_HERE}:xavier_normal", "std sqrt(2/(in+out))", _GLOROT),
        "xavier_uniform": Entry(f"{_HERE}:xavier_uniform", "+-sqrt(6/(in+out))", _GLOROT),
        "kaiming_normal": Entry(f"{_HERE}:kaiming_normal", "std sqrt(2/in)", _HE),
        "kaiming_uniform": Entry(f"{_HERE}:kaiming_uniform", "+-sqrt(6/in)", _HE),
        "signed_constant": Entry(
            f"{_HERE}:signed_constant", "two values, -+sqrt(2/in)", "arXiv:1911.13299"
        ),
    },
)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return fan_in and fan_out, counted as torch does: kernel area included.

    Raises
    ------
    ValueError
        If the tensor is not a weight matrix or kernel with at least one element.

    Examples
    --------
    >>> fans((50, 20, 5, 5))
    (500, 1250)
    """
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"shape is {shape}, expected two or more dimensions, none of them 0")
    area = math.prod(shape[2:])
    return shape[1] * area, shape[0] * area


def xavier_normal(shape: tuple[int, ...]) -> tuple[Draw, np.float32]:
    """Return the normal draw with variance 2 / (fan_in + fan_out).

    Examples
    --------
    >>> draw, scale = xavier_normal((300, 784))
    >>> draw.name, float(scale)
    ('normal', 0.04295367747545242)
    """
    return Draw.normal, np.float32(math.sqrt(2.0 / sum(fans(shape))))


def xavier_uniform(shape: tuple[int, ...]) -> tuple[Draw, np.float32]:
    """Return the uniform draw with variance 2 / (fan_in + fan_out)."""
    return Draw.uniform, np.float32(math.sqrt(6.0 / sum(fans(shape))))


def kaiming_normal(shape: tuple[int, ...]) -> tuple[Draw, np.float32]:
    """Return the normal draw with variance 2 / fan_in, for layers followed by ReLU."""
    return Draw.normal, np.float32(math.sqrt(2.0 / fans(shape)[0]))


def kaiming_uniform(shape: tuple[int, ...]) -> tuple[Draw, np.float32]:
    """Return the uniform draw with variance 2 / fan_in, for layers followed by ReLU."""
    return Draw.uniform, np.float32(math.sqrt(6.0 / fans(shape)[0]))


def signed_constant(shape: tuple[int, ...]) -> tuple[Draw, np.float32]:
    """Return the sign draw with the standard deviation of `kaiming_normal` as magnitude."""
    return Draw.sign, np.float32(math.sqrt(2.0 / fans(shape)[0]))
