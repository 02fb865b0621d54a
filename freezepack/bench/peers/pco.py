"""pcodec on gaps, in its stand-alone format."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack.bench.peers.base import Parts, Sizes, from_gaps, join, split, to_gaps

_LEVEL = 12


def _compress(gaps: NDArray[np.uint32]) -> bytes:
    pcodec: Any = import_module("pcodec")
    config = pcodec.ChunkConfig(compression_level=_LEVEL)
    return bytes(pcodec.standalone.simple_compress(gaps, config))


def _decompress(data: bytes) -> NDArray[np.uint32]:
    pcodec: Any = import_module("pcodec.standalone")
    return np.asarray(pcodec.simple_decompress(data), np.uint32)


class Flat:
    """One stream of gaps over all tensors."""

    def encode(self, parts: Parts, sizes: Sizes) -> bytes:
        """Return the stream."""
        return _compress(to_gaps(join(parts, sizes)))

    def decode(self, data: bytes, sizes: Sizes) -> list[NDArray[np.uint32]]:
        """Return the positions of each tensor."""
        return split(from_gaps(_decompress(data)), sizes)


class PerTensor:
    """One stream for each tensor, behind its length in three bytes; none if nothing is trained."""

    def encode(self, parts: Parts, sizes: Sizes) -> bytes:
        """Return lengths and streams."""
        streams = [_compress(to_gaps(part)) if part.size else b"" for part in parts]
        return b"".join(len(stream).to_bytes(3, "little") + stream for stream in streams)

    def decode(self, data: bytes, sizes: Sizes) -> list[NDArray[np.uint32]]:
        """Return the positions of each tensor."""
        parts, at = [], 0
        for _ in sizes:
            length = int.from_bytes(data[at : at + 3], "little")
            stream = data[at + 3 : at + 3 + length]
            parts.append(from_gaps(_decompress(stream)) if length else np.empty(0, np.uint32))
            at += 3 + length
        return parts


FLAT = Flat()
PER_TENSOR = PerTensor()
