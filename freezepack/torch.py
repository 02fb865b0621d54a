"""Packs as state dicts of torch, in the words of `safetensors.torch`.

`freeze` trains a few weights of any module from a seed; `save_model` then packs seed, values and
index.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from freezepack.checkpoints.bases import Paths
from freezepack.checkpoints.torch_file import state_of
from freezepack.files import write_output
from freezepack.handle import Source, open_pack
from freezepack.modules import load_into, load_model, save_model
from freezepack.nn.raw import wrap_raw
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES
from freezepack.saving import Draws, SaveOptions, pack_state
from freezepack.types import DType, RawArray

if TYPE_CHECKING:
    from freezepack.rate import RateOptimizer, train_for_rate
    from freezepack.train.freezing import freeze

__all__ = [
    "RateOptimizer",
    "as_tensor",
    "freeze",
    "load",
    "load_file",
    "load_into",
    "load_model",
    "save",
    "save_file",
    "save_model",
    "train_for_rate",
]


def __getattr__(name: str) -> Any:
    if name == "freeze":
        # Scores and selection are needed for nothing else here.
        from freezepack.train.freezing import freeze

        return freeze
    if name in ("RateOptimizer", "train_for_rate"):
        from freezepack import rate

        return getattr(rate, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def save_file(
    tensors: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    **options: Any,
) -> None:
    """Write a state dict to a pack; an existing file is replaced, all or nothing.

    Parameters
    ----------
    tensors : mapping of name to Tensor
        On any device. Not changed. Tensors of the same memory, shape and strides are tied.
    path : path or "-"
        Where to.
    metadata : mapping of str to str
        Text that changes no weight.
    **options
        As for `save`.
    """
    write_output(path, [save(tensors, metadata, **options)], force=True)


def save(
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
    *,
    seed: int | None = None,
    init: Draws = None,
    base: Paths = None,
    masks: Mapping[str, Any] | None = None,
    index: str = "small",
    values: str = "auto",
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> bytes:
    """Return the bytes of a pack that holds a state dict.

    Without `seed` and `base` each tensor is stored as what differs from zeros.

    Parameters
    ----------
    tensors : mapping of name to Tensor
        On any device. Not changed. Tensors of the same memory, shape and strides are tied.
    metadata, seed, init, base, masks, index, values, max_bytes
        As for `freezepack.numpy.save`.

    Examples
    --------
    >>> import torch
    >>> data = save({"w": torch.tensor([0.0, 1.5])})
    >>> load(data)["w"]
    tensor([0.0000, 1.5000])
    """
    options = SaveOptions(seed, init, base, masks, index, values, max_bytes)
    return b"".join(pack_state(state_of(tensors), metadata, options).pieces)


def load_file(
    path: str | os.PathLike[str],
    device: str = "cpu",
    *,
    base: Paths = None,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
    backend: str | None = None,
) -> dict[str, Tensor]:
    """Read a pack.

    For a GPU, tensors are made there: the CPU decodes positions and values, and nothing else is
    sent. A pack made with `index="fast"` loads fastest, because other codecs look at the base,
    which the CPU then makes too, unit by unit. Tensors that have a checkpoint or an earlier pack
    as their base are made by the CPU and sent whole.

    Parameters
    ----------
    path : path or "-"
        The pack.
    device : str or torch.device
        Where the tensors go, such as "cuda".
    base : path or sequence of paths
        What the pack is based on, besides seeds and zeros.
    max_bytes : int or None
        Most bytes that the tensors may have together; checked before any is made.
    backend : str, optional
        What makes them, as for `freezepack.open`.

    Returns
    -------
    dict of name to Tensor
        In file order. Tied names share one tensor. Each has a storage of its own, but below 16 MiB
        they share blocks of up to 64 MiB of main memory: to keep a few of them alone, keep clones.

    Raises
    ------
    LimitError, FormatError, BaseMismatchError
        If the file asks for too much, is damaged, or needs another base.
    """
    return _load(path, device, base, max_bytes, backend)


def load(
    data: bytes | bytearray | memoryview,
    *,
    base: Paths = None,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> dict[str, Tensor]:
    """Read a pack from bytes.

    Parameters
    ----------
    data : bytes-like
        The pack.
    base, max_bytes
        As for `load_file`.

    Returns
    -------
    dict of name to Tensor
        In file order, on the CPU. Tied names share one tensor.

    Raises
    ------
    LimitError, FormatError, BaseMismatchError
        As `load_file` does.

    Examples
    --------
    >>> import torch
    >>> load(save({"w": torch.tensor([0.0, 1.5])}))["w"].tolist()
    [0.0, 1.5]
    """
    return _load(data, "cpu", base, max_bytes, None)


def _load(
    source: Source, device: str, base: Paths, max_bytes: int | None, backend: str | None
) -> dict[str, Tensor]:
    options: dict[str, Any] = {"base": base, "max_bytes": max_bytes, "backend": backend}
    with open_pack(source, framework="torch", device=device, **options) as file:
        return file.get_tensors()


def as_tensor(raw: RawArray, dtype: DType, shape: tuple[int, ...], device: str = "cpu") -> Tensor:
    """Make a tensor of a raw array, which becomes its memory on the CPU."""
    return wrap_raw(raw, dtype, shape).to(device)
