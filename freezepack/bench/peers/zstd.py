"""zstd at level 19, on gaps written as varints and on bitmaps."""

import numpy as np
import zstandard
from numpy.typing import NDArray

from freezepack.bench.peers.base import Parts, Sizes, from_gaps, join, split, to_gaps

_LEVEL = 19
_MOST = 1 << 30


def _compress(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(content)


def _decompress(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=_MOST)


def write_varints(numbers: NDArray[np.uint32]) -> bytes:
    """Return numbers as varints: seven bits in each byte, the top bit if another follows.

    Examples
    --------
    >>> write_varints(np.array([5, 300], np.uint32)).hex()
    '05ac02'
    """
    lengths = 1 + sum((numbers >= np.uint64(1) << np.uint64(7 * i)).astype(int) for i in (1, 2, 3))
    lengths = lengths + (numbers >= np.uint64(1) << np.uint64(28))
    ends = np.cumsum(lengths)
    out = np.empty(int(ends[-1]) if ends.size else 0, np.uint8)
    for i in range(5):
        has = lengths > i
        more = (lengths > i + 1)[has]
        digits = (numbers[has] >> np.uint32(7 * i)) & np.uint32(127)
        out[(ends - lengths)[has] + i] = digits | (more * np.uint32(128))
    return out.tobytes()


def read_varints(data: bytes) -> NDArray[np.uint32]:
    """Return the numbers of a run of varints.

    Examples
    --------
    >>> read_varints(bytes.fromhex("05ac02")).tolist()
    [5, 300]
    """
    content = np.frombuffer(data, np.uint8).astype(np.uint32)
    last = np.flatnonzero(content < 128)
    starts = np.concatenate([[0], last[:-1] + 1])
    place = np.arange(content.size) - np.repeat(starts, last - starts + 1)
    digits = (content & np.uint32(127)) << (7 * place).astype(np.uint32)
    return np.add.reduceat(digits, starts).astype(np.uint32)


class Gaps:
    """Gaps over all tensors as varints."""

    def encode(self, parts: Parts, sizes: Sizes) -> bytes:
        """Return one frame."""
        return _compress(write_varints(to_gaps(join(parts, sizes))))

    def decode(self, data: bytes, sizes: Sizes) -> list[NDArray[np.uint32]]:
        """Return the positions of each tensor."""
        return split(from_gaps(read_varints(_decompress(data))), sizes)


class Bitmap:
    """One bit for each position of all tensors."""

    def encode(self, parts: Parts, sizes: Sizes) -> bytes:
        """Return one frame."""
        mask = np.zeros(sum(sizes), np.bool_)
        mask[join(parts, sizes)] = True
        return _compress(np.packbits(mask, bitorder="little").tobytes())

    def decode(self, data: bytes, sizes: Sizes) -> list[NDArray[np.uint32]]:
        """Return the positions of each tensor."""
        bits = np.unpackbits(np.frombuffer(_decompress(data), np.uint8), bitorder="little")
        return split(np.flatnonzero(bits).astype(np.uint32), sizes)


GAPS = Gaps()
BITMAP = Bitmap()
