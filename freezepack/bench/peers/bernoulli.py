"""constriction's range coder with one probability for each tensor: an ideal two-way model."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack.bench.peers.base import Parts, Sizes


class Bernoulli:
    """Counts of each tensor in four bytes, then one stream of 32-bit words."""

    def encode(self, parts: Parts, sizes: Sizes) -> bytes:
        """Return counts and stream; tensors with nothing or everything trained add none."""
        stream: Any = import_module("constriction").stream
        encoder = stream.queue.RangeEncoder()
        for part, size in zip(parts, sizes, strict=True):
            if 0 < part.size < size:
                symbols = np.zeros(size, np.int32)
                symbols[part] = 1
                encoder.encode(symbols, stream.model.Bernoulli(part.size / size, perfect=False))
        counts = np.array([part.size for part in parts], "<u4").tobytes()
        words: bytes = encoder.get_compressed().astype("<u4").tobytes()
        return counts + words

    def decode(self, data: bytes, sizes: Sizes) -> list[NDArray[np.uint32]]:
        """Return the positions of each tensor."""
        stream: Any = import_module("constriction").stream
        counts = np.frombuffer(data, "<u4", len(sizes)).tolist()
        words = np.frombuffer(data, "<u4", offset=4 * len(sizes)).astype(np.uint32)
        decoder = stream.queue.RangeDecoder(words)
        parts = []
        for count, size in zip(counts, sizes, strict=True):
            if 0 < count < size:
                model = stream.model.Bernoulli(count / size, perfect=False)
                symbols = decoder.decode(model, size)
                parts.append(np.flatnonzero(symbols).astype(np.uint32))
            else:
                parts.append(np.arange(count, dtype=np.uint32))
        return parts


BERNOULLI = Bernoulli()
