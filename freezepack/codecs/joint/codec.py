"""The codec as the container calls it: native where there is a kernel."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.joint import kernel, reference
from freezepack.codecs.joint.reference import Levels
from freezepack.codecs.joint.shapes import (
    MOST_POSITIONS,
    MOST_TENSORS,
    Depths,
    JointSpec,
    lay_out,
    measure_depths,
)
from freezepack.errors import CorruptError

MOST_LEVEL = (1 << 23) + 2
"""Largest magnitude of an integer."""


def encode_joint(levels: Sequence[NDArray[np.integer]], specs: Sequence[JointSpec]) -> bytes:
    """Return one stream that holds the integers of several tensors.

    Parameters
    ----------
    levels : sequence of integer arrays
        For each tensor its integers, 0 where it is not trained; any shape, in C order.
    specs : sequence of JointSpec
        Tensors in the order in which a reader will know them; 2**20 positions at most in all.

    Returns
    -------
    bytes
        The stream, which may be empty.

    Raises
    ------
    ValueError
        If there are too many tensors or positions, sizes disagree, or an integer is beyond
        8,388,610.

    Examples
    --------
    >>> specs = [JointSpec((2, 3)), JointSpec((2,))]
    >>> data = encode_joint([np.array([[0, 0, 0], [1, 0, -2]]), np.array([0, 1])], specs)
    >>> len(data), [part.tolist() for part in decode_joint(data, specs)]
    (3, [[0, 0, 0, 1, 0, -2], [0, 1]])
    """
    check(specs)
    flat = [
        flatten(part, spec, i) for i, (part, spec) in enumerate(zip(levels, specs, strict=True))
    ]
    code = kernel.encode if kernel.encoder() else reference.encode
    return code(lay_out([spec.shape for spec in specs]), flat, depths_of(specs))


def decode_joint(data: bytes, specs: Sequence[JointSpec], offset: int = 0) -> list[Levels]:
    """Return the integers of each tensor, flat, in C order.

    Raises
    ------
    CorruptError
        Field "values", if the stream is not as its encoder ends it.
    ValueError
        If there are too many tensors or positions.

    Notes
    -----
    Work and memory are bounded by the positions of the specs, whatever the bytes are.
    """
    check(specs)
    code = kernel.decode if kernel.decoder() else reference.decode
    try:
        return code(bytes(data), lay_out([spec.shape for spec in specs]), depths_of(specs))
    except ValueError as error:
        raise CorruptError("values", offset, str(error)) from None


def check(specs: Sequence[JointSpec]) -> None:
    """Refuse a run of too many tensors or positions."""
    if len(specs) > MOST_TENSORS:
        raise ValueError(f"{len(specs)} tensors in one run, expected at most {MOST_TENSORS}")
    size = sum(spec.size for spec in specs)
    if size > MOST_POSITIONS:
        raise ValueError(f"{size} positions in one run, expected at most {MOST_POSITIONS}")


def flatten(levels: NDArray[np.integer], spec: JointSpec, place: int) -> Levels:
    """Return the integers of tensor number `place` as the coder takes them."""
    flat = np.asarray(levels).reshape(-1)
    if flat.size != spec.size:
        raise ValueError(f"tensor {place} has {flat.size} integers, expected {spec.size}")
    if flat.size and max(int(flat.max()), -int(flat.min())) > MOST_LEVEL:
        raise ValueError(f"an integer of tensor {place} is beyond 8,388,610")
    return np.ascontiguousarray(flat, np.int32)


def depths_of(specs: Sequence[JointSpec]) -> list[Depths | None]:
    """Return what is looked at of each base."""
    return [_depths_of(spec, i) for i, spec in enumerate(specs)]


def _depths_of(spec: JointSpec, place: int) -> Depths | None:
    if spec.base is None:
        return None
    base = spec.base().reshape(-1)
    if base.size != spec.size:
        raise ValueError(f"the base of tensor {place} has {base.size} patterns, not {spec.size}")
    return measure_depths(base)
