"""The generator in int64 operations of torch: no float but one product, so any device agrees.

Numbers of 32 bits are int64 tensors of 0 to 2**32 - 1. A product of two of them wraps modulo
2**64; its upper half is then `>> 32` without the copies of the sign.
"""

import torch
from torch import Tensor

from freezepack.random.table import NORMAL_TABLE
from freezepack.rebuild.torch_devices.bits import signed
from freezepack.types import Draw, DType, Init

LOW = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_STEPS = (0x9E3779B9, 0xBB67AE85)


def make_words(device: torch.device, key: int, stream: int, start: int, count: int) -> Tensor:
    """Return words `start` to `start + count - 1` of a stream, int64 of 0 to 2**32 - 1.

    Examples
    --------
    >>> [hex(word) for word in make_words(torch.device("cpu"), 0, 0, 1, 2).tolist()]
    ['0xe169c58d', '0xbc57ac4c']
    """
    first = start // 4
    blocks = -(-(start + count) // 4) - first
    counter = torch.arange(blocks, dtype=torch.int64, device=device) + first
    c0, c1 = counter & LOW, counter >> 32
    c2 = torch.full_like(counter, stream & LOW)
    c3 = torch.full_like(counter, stream >> 32)
    k0, k1 = key & LOW, key >> 32
    for _ in range(10):
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (p1 >> 32 & LOW) ^ c1 ^ k0,
            p1 & LOW,
            (p0 >> 32 & LOW) ^ c3 ^ k1,
            p0 & LOW,
        )
        k0, k1 = (k0 + _STEPS[0]) & LOW, (k1 + _STEPS[1]) & LOW
    skip = start - 4 * first
    return torch.stack((c0, c1, c2, c3), 1).view(-1)[skip : skip + count]


def make_patterns(device: torch.device, key: int, init: Init, start: int, count: int) -> Tensor:
    """Return float32 patterns of a uniform, normal or truncated normal draw, int64."""
    words = make_words(device, key, init.stream, start, count)
    if init.draw == Draw.uniform:
        k = 2 * (words >> 8) - (2**24 - 1)
    elif init.draw == Draw.normal:
        k = _normal(words, words | 1)
    else:
        # At most (2**31 - 1) * (2**32 - 1): no wrap.
        k = _normal(words, ((words >> 1) * (2**32 - init.tail) >> 31) + init.tail)
    bits = torch.tensor(signed(init.bits, 32), dtype=torch.int32, device=device)
    # The conversion is exact (abs(k) < 2**24); the product is the only rounding.
    values = k.to(torch.float32) * bits.view(torch.float32)
    return values.view(torch.int32).to(torch.int64) & LOW


def _normal(words: Tensor, v: Tensor) -> Tensor:
    """Return normal integers of sign `words & 1` and two-sided tail probability v / 2**32."""
    # With the bit below the highest cleared, rounding to float32 cannot reach the next octave.
    top = (v & ~(v >> 1)).to(torch.float32).view(torch.int32)
    octave = 158 - (top >> 23).to(torch.int64)
    t = (v << octave << 1) & LOW
    table = torch.from_numpy(NORMAL_TABLE.astype("int64")).to(v.device)
    a = table[5][octave]
    for row in (4, 3, 2, 1, 0):
        # Products stay below 2**61.
        a = table[row][octave] - (a * t >> 32)
    minus = -(words & 1)
    return ((a >> 8) ^ minus) - minus


def sign_bits(device: torch.device, key: int, stream: int, start: int, count: int) -> Tensor:
    """Return the bits of the sign draw, 1 for minus, int64."""
    first = start // 32
    words = make_words(device, key, stream, first, (start + count - 1) // 32 + 1 - first)
    places = torch.arange(32, dtype=torch.int64, device=device)
    skip = start - 32 * first
    return ((words[:, None] >> places) & 1).view(-1)[skip : skip + count]


def narrow(x: Tensor, dtype: DType) -> Tensor:
    """Return float32 patterns of finite values as patterns of another type, one rounding; int64.

    Subnormal float32 values do not arise in a draw, and are not widened to float64.

    Examples
    --------
    >>> one_third = torch.tensor([0x3EAAAAAB])
    >>> [hex(narrow(one_third, t)) for t in (DType.bfloat16, DType.float16, DType.float64)]
    ['0x3eab', '0x3555', '0x3fd5555560000000']
    """
    if dtype == DType.bfloat16:
        return (x + 0x7FFF + (x >> 16 & 1)) >> 16
    if dtype == DType.float16:
        return _to_float16(x)
    if dtype == DType.float64:
        size = x & 0x7FFFFFFF
        body = torch.where(size == 0, size, (size << 29) + (896 << 52))
        return body | (x >> 31) << 63
    return x


def _to_float16(x: Tensor) -> Tensor:
    size = x & 0x7FFFFFFF
    small = size < 0x38800000
    shift = torch.where(small, (126 - (size >> 23)).clamp(max=31), 13)
    body = torch.where(small, size & 0x7FFFFF | 0x800000, size - 0x38000000)
    half = (torch.ones_like(shift) << (shift - 1)) - 1
    rounded = (body + half + (body >> shift & 1)) >> shift
    rounded = torch.where(size >= 0x47800000, 0x7C00, rounded)
    return rounded | x >> 16 & 0x8000
