"""The codec in plain Python: the yardstick, and what does without a compiler."""

import numpy as np

from freezepack.codecs.floats.head import Head
from freezepack.codecs.floats.model import Model, Reader, Writer
from freezepack.types import RawArray


def encode(values: RawArray, base: RawArray, head: Head) -> bytes:
    """Return what follows the head: raw bits and stream.

    Examples
    --------
    >>> from freezepack.codecs.floats.parts import FLOAT32
    >>> from freezepack.codecs.floats.plan import plan
    >>> values, base = np.array([0x3F800000, 0xBF000000], "<u4"), np.zeros(2, "<u4")
    >>> encode(values, base, plan(values, base, FLOAT32, near=False)).hex()
    '867b'
    """
    split = head.split
    writer = Writer()
    model = Model(writer, split, head.top)
    flags = _Flags(model, values.size, head.equal)
    low = []
    for value, b in zip(values.tolist(), base.tolist(), strict=True):
        if flags.code(int(value == b)):
            continue
        sign, magnitude = split.take(value, b)
        low.append(magnitude >> split.shift)
        high = magnitude >> (split.shift + split.raw)
        exponent = split.exponent(high, b)
        model.sign(sign)
        model.exponent(exponent, b)
        model.tail(high, exponent, b)
    return pack_raw(low, split.raw) + writer.coder.finish()


def decode(data: bytes, base: RawArray, head: Head) -> RawArray:
    """Return as many patterns as the base has from what follows the head.

    Parameters
    ----------
    data : bytes
        Not shorter than the raw bits.

    Raises
    ------
    ValueError
        If the section breaks a rule; the message says which.
    """
    split = head.split
    coded = base.size - head.equal
    stop = raw_length(head, base.size)
    low = iter(unpack_raw(data[:stop], coded, split.raw))
    reader = Reader(data[stop:])
    model = Model(reader, split, head.top)
    flags = _Flags(model, base.size, head.equal)
    values, found = [], 0
    for b in base.tolist():
        if flags.code(0):
            values.append(b)
            continue
        sign = model.sign(0)
        exponent = model.exponent(0, b)
        high = split.high(exponent, model.tail(0, exponent, b), b)
        value = split.join(sign, (high << split.raw | next(low)) << split.shift, b)
        if value is None or value == b:
            raise ValueError("a value is equal to its base, or beyond all values")
        values.append(value)
        found = max(found, exponent)
    if coded and found != head.top:
        raise ValueError("no value has the largest exponent that the head states")
    if not reader.coder.is_canonical():
        raise ValueError("the stream is not as its encoder ends it")
    return np.array(values, base.dtype)


class _Flags:
    """Which values are equal to their base; not coded where the number left decides it."""

    def __init__(self, model: Model, left: int, equal: int) -> None:
        self._model = model
        self._left = left
        self._equal = equal

    def code(self, bit: int) -> int:
        """Return whether the next value is equal."""
        bit = self._model.equal(bit) if 0 < self._equal < self._left else int(self._equal > 0)
        self._left -= 1
        self._equal -= bit
        return bit


def raw_length(head: Head, count: int) -> int:
    """Return the bytes of the raw bits of a section of `count` values."""
    return ((count - head.equal) * head.split.raw + 7) // 8


def pack_raw(values: list[int], width: int) -> bytes:
    """Return the low bits of each value, one after the other, lowest first.

    Examples
    --------
    >>> pack_raw([5, 6], 3).hex()
    '35'
    """
    words = np.array(values, np.uint64)[:, None]
    bits = words >> np.arange(width, dtype=np.uint64) & np.uint64(1)
    return np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()


def unpack_raw(data: bytes, count: int, width: int) -> list[int]:
    """Return `count` values of `width` bits.

    Raises
    ------
    ValueError
        If a bit behind them is not zero.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    if bits[count * width :].any():
        raise ValueError("the bits after the raw bits are not zero")
    fields = bits[: count * width].reshape(count, width).astype(np.uint64)
    weights = np.uint64(1) << np.arange(width, dtype=np.uint64)
    words: list[int] = (fields * weights).sum(axis=1, dtype=np.uint64).tolist()
    return words
