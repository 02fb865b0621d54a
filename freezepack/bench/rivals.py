"""Other ways to store a network of which a part was trained: as people do it, and as they could.

Each returns the bytes of a file and has been read back and compared.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from freezepack.bench.peers.base import to_gaps
from freezepack.checkpoints.state import State
from freezepack.errors import MissingExtraError, VerificationError
from freezepack.types import BoolArray, DType

Arrays = dict[str, NDArray[Any]]
_LEVEL = 19


def rival_sizes(state: State) -> dict[str, int]:
    """Return the bytes of each rival's file.

    Parameters
    ----------
    state : State
        A checkpoint with masks; tensors without one are stored whole.

    Returns
    -------
    dict of str to int
        Rivals whose package is not installed are left out.

    Raises
    ------
    MissingExtraError
        If safetensors is not installed.
    VerificationError
        If a rival does not return what it was given.
    """
    if find_spec("safetensors") is None:
        raise MissingExtraError("safetensors", "safetensors", "comparing file sizes")
    dense = {name: raw.view(_plain(spec.dtype)) for name, (spec, raw) in state.arrays.items()}
    masks = partial_masks(state)
    patch = _patch(dense, masks)
    pruned = {
        name: np.where(masks[name], a, 0) if name in masks else a for name, a in dense.items()
    }
    half = {n: a.astype(np.float16) if a.dtype == np.float32 else a for n, a in dense.items()}
    sizes = {
        "dense safetensors": len(_tensors(dense)),
        "dense safetensors, zstd": len(_zstd(_tensors(dense))),
        "dense float16 safetensors (lossy)": len(_tensors(half)),
        "pruned twin, dense safetensors, zstd": len(_zstd(_tensors(pruned))),
        "index int32 + values safetensors": len(_tensors(patch)),
        "index int32 + values safetensors, zstd": len(_zstd(_tensors(patch))),
    }
    if find_spec("pcodec") is not None:
        sizes["seed + pcodec gaps + pcodec values, no header"] = 8 + _pcodec(dense, masks)
    return sizes


def partial_masks(state: State) -> Mapping[str, BoolArray]:
    """Return the masks of tensors that are neither wholly trained nor wholly frozen."""
    return {
        name: claim.mask.reshape(-1)
        for name, claim in state.claims.items()
        if claim.mask is not None and not claim.mask.all()
    }


def _plain(dtype: DType) -> "np.dtype[Any]":
    """Return NumPy's own element type; what it does not know stays bits."""
    return np.dtype(dtype.name) if dtype.name in np.sctypeDict else dtype.raw


def _patch(dense: Arrays, masks: Mapping[str, BoolArray]) -> Arrays:
    """Return positions and values of what is trained, the rest whole."""
    patch: Arrays = {}
    for name, array in dense.items():
        if name not in masks:
            patch[name] = array
        elif masks[name].any():
            patch[f"{name}.index"] = np.flatnonzero(masks[name]).astype(np.int32)
            patch[f"{name}.values"] = array[masks[name]]
    return patch


def _tensors(arrays: Arrays) -> bytes:
    """Return a safetensors file."""
    module: Any = import_module("safetensors.numpy")
    data: bytes = module.save(arrays)
    _same(arrays, module.load(data), "safetensors")
    return data


def _zstd(content: bytes) -> bytes:
    data = zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    if zstandard.ZstdDecompressor().decompress(data) != content:
        raise VerificationError("zstd does not return what it was given")
    return data


def _pcodec(dense: Arrays, masks: Mapping[str, BoolArray]) -> int:
    """Return the bytes of gaps and of values, each in one stream over all tensors.

    Only float32 tensors go into the stream of values; others are counted as they are.
    """
    floats = {name: array for name, array in dense.items() if array.dtype == np.float32}
    rest = sum(array.nbytes for name, array in dense.items() if name not in floats)
    values = np.concatenate([a[masks[n]] if n in masks else a for n, a in floats.items()])
    coded = _pcodec_stream(values.view(np.uint32), values)
    if masks:
        joined = np.concatenate([masks[name] for name in floats if name in masks])
        gaps = to_gaps(np.flatnonzero(joined).astype(np.uint32))
        coded += _pcodec_stream(gaps, gaps)
    return coded + rest


def _pcodec_stream(bits: NDArray[np.uint32], numbers: NDArray[Any]) -> int:
    module: Any = import_module("pcodec")
    config = module.ChunkConfig(compression_level=12)
    data = module.standalone.simple_compress(numbers, config)
    if not np.array_equal(module.standalone.simple_decompress(data).view(np.uint32), bits):
        raise VerificationError("pcodec does not return what it was given")
    return len(data)


def _same(one: Arrays, other: Arrays, name: str) -> None:
    if one.keys() != other.keys() or any(
        a.tobytes() != other[key].tobytes() for key, a in one.items()
    ):
        raise VerificationError(f"{name} does not return what it was given")
