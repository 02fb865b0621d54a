"""NumPy arrays as bits, and their element types; ml_dtypes has those that NumPy lacks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack.checkpoints.state import State
from freezepack.errors import MissingExtraError
from freezepack.pack.texts import check_names
from freezepack.types import DType, RawArray, TensorSpec

_EXTENDED = (DType.bfloat16, DType.float8_e4m3fn, DType.float8_e5m2)


def numpy_dtype(dtype: DType) -> "np.dtype[Any]":
    """Return NumPy's element type, from ml_dtypes where NumPy has none.

    Examples
    --------
    >>> numpy_dtype(DType.float16)
    dtype('float16')
    """
    if dtype not in _EXTENDED:
        plain: np.dtype[Any] = np.dtype(dtype.name)
        return plain
    try:
        import ml_dtypes
    except ImportError:
        user = f"{dtype.name} in NumPy (without it: raw=True)"
        raise MissingExtraError("ml_dtypes", "bfloat16", user) from None
    extended: np.dtype[Any] = np.dtype(getattr(ml_dtypes, dtype.name))
    return extended


def state_of(tensors: Mapping[str, NDArray[Any]]) -> State:
    """Return the bits of arrays; those of the same memory, shape and strides become aliases."""
    arrays: dict[str, tuple[TensorSpec, RawArray]] = {}
    aliases: dict[str, str] = {}
    owners: dict[Any, str] = {}
    check_names(tensors)
    # All are held until the end: memory given back would be found again under another name.
    given: dict[str, Any] = {name: tensors[name] for name in sorted(tensors, key=str.encode)}
    for name, found in given.items():
        array = np.asarray(found)
        if array.dtype.name not in DType.__members__:
            raise TypeError(f"{name!r} has elements of {array.dtype}, which a pack cannot hold")
        if isinstance(found, np.ndarray) and found.size:
            place = found.__array_interface__["data"][0], found.shape, found.strides, found.dtype
            owner = owners.setdefault(place, name)
            if owner != name:
                aliases[name] = owner
                continue
        spec = TensorSpec(name, array.shape, DType[array.dtype.name])
        little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        arrays[name] = spec, little.reshape(-1).view(spec.dtype.raw)
    return State(arrays, aliases)
