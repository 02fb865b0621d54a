"""Parts of the Triton kernels: words, draws, narrowing, and what elements add to a digest."""

# Constants of a kernel are in capitals, and Triton takes no annotations of tensors.
# ruff: noqa: N803, PLR0917
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators

import triton
import triton.language as tl

UNIFORM = tl.constexpr(1)
NORMAL = tl.constexpr(2)
SIGN = tl.constexpr(4)
FLOAT32 = tl.constexpr(1)
FLOAT16 = tl.constexpr(2)
BFLOAT16 = tl.constexpr(3)
FLOAT64 = tl.constexpr(4)
M0 = tl.constexpr(0xD2511F53)
M1 = tl.constexpr(0xCD9E8D57)
W0 = tl.constexpr(0x9E3779B9)
W1 = tl.constexpr(0xBB67AE85)


@triton.jit
def wide(low, high):
    """Join two halves."""
    bottom = low.to(tl.uint32, bitcast=True).to(tl.uint64)
    return (high.to(tl.uint32, bitcast=True).to(tl.uint64) << 32) | bottom


@triton.jit
def philox(block, key_low, key_high, stream_low, stream_high):
    """Return the four words of each block."""
    c0 = block.to(tl.uint32)
    c1 = (block >> 32).to(tl.uint32)
    c2 = tl.zeros_like(c0) + stream_low.to(tl.uint32, bitcast=True)
    c3 = tl.zeros_like(c0) + stream_high.to(tl.uint32, bitcast=True)
    k0 = key_low.to(tl.uint32, bitcast=True)
    k1 = key_high.to(tl.uint32, bitcast=True)
    for _ in tl.static_range(10):
        high0 = tl.umulhi(c0, M0)
        high1 = tl.umulhi(c2, M1)
        low0 = c0 * M0
        low1 = c2 * M1
        c0 = high1 ^ c1 ^ k0
        c1 = low1
        c2 = high0 ^ c3 ^ k1
        c3 = low0
        k0 = k0 + W0
        k1 = k1 + W1
    return c0, c1, c2, c3


@triton.jit
def draw(word, table, factor, tail, DRAW: tl.constexpr):
    """Return float32 patterns of words: uniform, normal or truncated normal."""
    if DRAW == UNIFORM:
        k = ((word >> 8) << 1).to(tl.int32) - 16777215
    else:
        if DRAW == NORMAL:
            v = word | 1
        else:
            span = (0 - tail).to(tl.uint64)
            v = (((word >> 1).to(tl.uint64) * span) >> 31).to(tl.uint32) + tail
        # With the bit below the highest cleared, rounding cannot reach the next octave.
        top = (v ^ (v & (v >> 1))).to(tl.float32).to(tl.int32, bitcast=True)
        octave = 158 - (top >> 23)
        t = (v << octave.to(tl.uint32)) << 1
        a = tl.load(table + 160 + octave)
        for row in tl.static_range(5):
            a = tl.load(table + (128 - 32 * row) + octave) - tl.umulhi(a, t)
        m = (a >> 8).to(tl.int32)
        k = tl.where((word & 1) != 0, 0 - m, m)
    return (k.to(tl.float32) * factor).to(tl.uint32, bitcast=True)


@triton.jit
def narrow(x, DTYPE: tl.constexpr):
    """Return float32 patterns as patterns of the element type; zero or normal numbers only."""
    if DTYPE == FLOAT32:
        result = x
    elif DTYPE == BFLOAT16:
        result = ((x + 0x7FFF + ((x >> 16) & 1)) >> 16).to(tl.uint16)
    elif DTYPE == FLOAT16:
        size = x & 0x7FFFFFFF
        small = size < 0x38800000
        shift = tl.where(small, tl.minimum(126 - (size >> 23).to(tl.int32), 31), 13)
        shift = shift.to(tl.uint32)
        body = tl.where(small, (size & 0x7FFFFF) | 0x800000, size - 0x38000000)
        half = ((tl.zeros_like(body) + 1) << (shift - 1)) - 1
        rounded = (body + half + ((body >> shift) & 1)) >> shift
        rounded = tl.where(size >= 0x47800000, 0x7C00, rounded)
        result = (rounded | ((x >> 16) & 0x8000)).to(tl.uint16)
    else:
        size = x & 0x7FFFFFFF
        body = (size.to(tl.uint64) << 29) + (tl.zeros_like(size).to(tl.uint64) + (896 << 52))
        body = tl.where(size == 0, 0, body)
        result = body | ((x >> 31).to(tl.uint64) << 63)
    return result


@triton.jit
def signs(word, bits, block, place: tl.constexpr, DTYPE: tl.constexpr):
    """Return +-c: bit `place` of the block's four, set as the sign."""
    bit = (word >> ((block.to(tl.uint32) & 7) * 4 + place)) & 1
    return narrow(bits ^ (bit << 31), DTYPE)


@triton.jit
def product(low, high, key_low, key_high):
    """Return d plus the product of its halves, each with its key word added."""
    content = (high.to(tl.uint64) << 32) | low.to(tl.uint64)
    return content + (low + key_low).to(tl.uint64) * (high + key_high).to(tl.uint64)


@triton.jit
def term(content, key_low, key_high):
    """Return what a word of 8 bytes adds to the sum of its tile."""
    return product(content.to(tl.uint32), (content >> 32).to(tl.uint32), key_low, key_high)


@triton.jit
def block_terms(e0, e1, e2, e3, keys, lane, DTYPE: tl.constexpr):
    """Return what the four elements of each block add to H."""
    if DTYPE == FLOAT32:
        k = keys + 4 * lane
        terms = product(e0, e1, tl.load(k), tl.load(k + 1))
        terms += product(e2, e3, tl.load(k + 2), tl.load(k + 3))
    elif DTYPE == FLOAT64:
        k = keys + 8 * lane
        terms = term(e0, tl.load(k), tl.load(k + 1))
        terms += term(e1, tl.load(k + 2), tl.load(k + 3))
        terms += term(e2, tl.load(k + 4), tl.load(k + 5))
        terms += term(e3, tl.load(k + 6), tl.load(k + 7))
    else:
        k = keys + 2 * lane
        low = e0.to(tl.uint32) | (e1.to(tl.uint32) << 16)
        high = e2.to(tl.uint32) | (e3.to(tl.uint32) << 16)
        terms = product(low, high, tl.load(k), tl.load(k + 1))
    return terms


@triton.jit
def field(values, SIZE: tl.constexpr):
    """Return elements as u64, without copies of the sign."""
    if SIZE == 8:
        result = values.to(tl.uint64, bitcast=True)
    elif SIZE == 4:
        result = values.to(tl.uint32, bitcast=True).to(tl.uint64)
    elif SIZE == 2:
        result = values.to(tl.uint16, bitcast=True).to(tl.uint64)
    else:
        result = values.to(tl.uint8, bitcast=True).to(tl.uint64)
    return result
