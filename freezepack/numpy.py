"""Packs as dicts of NumPy arrays, in the words of `safetensors.numpy`.

bfloat16 and the 8-bit floats come through ml_dtypes. `raw=True` gives unsigned integers instead.
"""

import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from freezepack.checkpoints.arrays import numpy_dtype, state_of
from freezepack.checkpoints.bases import Paths
from freezepack.files import write_output
from freezepack.handle import Source, open_pack
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES
from freezepack.saving import Draws, SaveOptions, pack_state
from freezepack.types import DType, RawArray

__all__ = ["as_array", "as_bits", "load", "load_file", "save", "save_file"]

Array = NDArray[Any]


def save_file(
    tensors: Mapping[str, Array],
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    **options: Any,
) -> None:
    """Write arrays to a pack; an existing file is replaced, all or nothing.

    Parameters
    ----------
    tensors : mapping of name to array
        Not changed. Arrays of the same memory, shape and strides are tied.
    path : path or "-"
        Where to.
    metadata : mapping of str to str
        Text that changes no weight.
    **options
        As for `save`.
    """
    write_output(path, [save(tensors, metadata, **options)], force=True)


def save(
    tensors: Mapping[str, Array],
    metadata: Mapping[str, str] | None = None,
    *,
    seed: int | None = None,
    init: Draws = None,
    base: Paths = None,
    masks: Mapping[str, Array] | None = None,
    index: str = "small",
    values: str = "auto",
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> bytes:
    """Return the bytes of a pack that holds these arrays.

    Without `seed` and `base` each array is stored as what differs from zeros.

    Parameters
    ----------
    tensors : mapping of name to array
        Not changed. Arrays of the same memory, shape and strides are tied.
    metadata : mapping of str to str
        Text that changes no weight.
    seed, init : int, str or mapping
        The seed from which weights were drawn, and how: a scheme such as "xavier_normal" for all
        floating arrays of two or more dimensions, or name to (draw, scale).
    base : path or sequence of paths
        The checkpoint or pack that the weights come from, then those that it needs itself. They
        are needed again to load.
    masks : mapping of name to bool array
        True is trained. The rest must equal its base.
    index : str
        "small", "fast", "auto", or a codec's name.
    values : str
        "auto" for the smallest lossless codec whose bytes depend on no library, or a codec's
        name; lossy ones and "planes" only by name.
    max_bytes : int or None
        Most bytes that one call may make of a base that is a pack; None for no limit.

    Raises
    ------
    BaseDriftError
        If an entry outside a mask differs from its base.
    CheckpointError
        If a name or a metadata text is one that no file may hold.
    TypeError
        If an array has elements that no pack can hold, or metadata is no text.

    Examples
    --------
    >>> import numpy as np
    >>> data = save({"w": np.zeros((300, 300), np.float32)})
    >>> len(data) < 50, load(data)["w"].shape
    (True, (300, 300))
    """
    options = SaveOptions(seed, init, base, masks, index, values, max_bytes)
    return b"".join(pack_state(state_of(tensors), metadata, options).pieces)


def load_file(
    path: str | os.PathLike[str],
    *,
    base: Paths = None,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
    raw: bool = False,
) -> dict[str, Array]:
    """Read a pack.

    Parameters
    ----------
    path : path or "-"
        The pack.
    base : path or sequence of paths
        What the pack is based on, besides seeds and zeros.
    max_bytes : int or None
        Most bytes that the tensors may have together; checked before any is made.
    raw : bool
        Give the bits as unsigned integers.

    Returns
    -------
    dict of name to array
        In file order. Tied names share one array. Arrays below 16 MiB share blocks of up to 64 MiB:
        to keep a few of them alone, keep copies.

    Raises
    ------
    LimitError, FormatError, BaseMismatchError, MissingExtraError
        If the file asks for too much, is damaged, needs another base or ml_dtypes.
    """
    return _load(path, base, max_bytes, raw)


def load(
    data: bytes | bytearray | memoryview,
    *,
    base: Paths = None,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
    raw: bool = False,
) -> dict[str, Array]:
    """Read a pack from bytes.

    Parameters
    ----------
    data : bytes-like
        The pack.
    base, max_bytes, raw
        As for `load_file`.

    Returns
    -------
    dict of name to array
        In file order. Tied names share one array.

    Raises
    ------
    LimitError, FormatError, BaseMismatchError, MissingExtraError
        As `load_file` does.

    Examples
    --------
    >>> import numpy as np
    >>> load(save({"w": np.array([0.0, 1.5])}))["w"].tolist()
    [0.0, 1.5]
    """
    return _load(data, base, max_bytes, raw)


def _load(source: Source, base: Paths, max_bytes: int | None, raw: bool) -> dict[str, Array]:
    framework = "raw" if raw else "numpy"
    with open_pack(source, framework=framework, base=base, max_bytes=max_bytes) as file:
        return file.get_tensors()


def as_array(raw: RawArray, dtype: DType, shape: tuple[int, ...]) -> Array:
    """See a raw array as an array of its element type."""
    return raw.view(numpy_dtype(dtype)).reshape(shape)


def as_bits(raw: RawArray, dtype: DType, shape: tuple[int, ...]) -> Array:
    """See a raw array in its shape."""
    return raw.reshape(shape)
