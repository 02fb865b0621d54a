"""Block Rice: every 16 gaps share a Rice parameter, and parameters are coded by their change."""

import numpy as np
from numpy.typing import NDArray

from freezepack.bench.peers.base import Parts, Sizes, from_gaps, join, split, to_gaps

_BLOCK = 16
_WIDEST = 24

Ints = NDArray[np.int64]


def choose_parameters(gaps: Ints) -> Ints:
    """Return for each block the parameter with the fewest bits.

    Examples
    --------
    >>> choose_parameters(np.array([0] * 16 + [200, 300])).tolist()
    [0, 7]
    """
    blocks = -(-gaps.size // _BLOCK)
    padded = np.zeros(blocks * _BLOCK, np.int64)
    padded[: gaps.size] = gaps
    used = np.arange(padded.size).reshape(blocks, _BLOCK) < gaps.size
    table = padded.reshape(blocks, _BLOCK)
    costs = [((table >> k) + 1 + k).sum(1, where=used) for k in range(_WIDEST + 1)]
    found: Ints = np.argmin(np.stack(costs), axis=0)
    return found


class Rice:
    """Number of gaps in four bytes; then, as bits: changes, quotients (unary), remainders."""

    def encode(self, parts: Parts, sizes: Sizes) -> bytes:
        """Return count and bits."""
        gaps = to_gaps(join(parts, sizes)).astype(np.int64)
        parameters = choose_parameters(gaps)
        changes = np.diff(parameters, prepend=0)
        signs = np.where(changes > 0, 2 * changes - 1, -2 * changes)
        widths = np.repeat(parameters, _BLOCK)[: gaps.size]
        bits = np.concatenate([_unary(signs), _unary(gaps >> widths), _fields(gaps, widths)])
        count = np.array([gaps.size], "<u4").tobytes()
        return count + np.packbits(bits, bitorder="little").tobytes()

    def decode(self, data: bytes, sizes: Sizes) -> list[NDArray[np.uint32]]:
        """Return the positions of each tensor."""
        count = int.from_bytes(data[:4], "little")
        bits = np.unpackbits(np.frombuffer(data, np.uint8, offset=4), bitorder="little")
        blocks = -(-count // _BLOCK)
        ends = np.flatnonzero(bits)[: blocks + count]
        numbers = np.diff(ends, prepend=-1) - 1
        signs, quotients = numbers[:blocks], numbers[blocks:]
        parameters = np.cumsum(np.where(signs % 2, (signs + 1) // 2, -(signs // 2)))
        widths = np.repeat(parameters, _BLOCK)[:count]
        first = int(ends[-1]) + 1
        places = first + np.cumsum(widths) - widths
        gaps = quotients << widths
        for i in range(int(widths.max())):
            has = widths > i
            gaps[has] |= bits[places[has] + i].astype(np.int64) << i
        return split(from_gaps(gaps.astype(np.uint32)), sizes)


def _unary(numbers: Ints) -> NDArray[np.uint8]:
    """Return each number as so many zeros and a one."""
    ends = np.cumsum(numbers + 1)
    bits = np.zeros(int(ends[-1]), np.uint8)
    bits[ends - 1] = 1
    return bits


def _fields(numbers: Ints, widths: Ints) -> NDArray[np.uint8]:
    """Return the low bits of each number, as many as its width says, lowest first."""
    starts = np.cumsum(widths) - widths
    bits = np.zeros(int(widths.sum()), np.uint8)
    for i in range(int(widths.max())):
        has = widths > i
        bits[starts[has] + i] = (numbers[has] >> i) & 1
    return bits


RICE = Rice()
