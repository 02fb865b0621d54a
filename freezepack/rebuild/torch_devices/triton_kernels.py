"""Triton kernels: base and tile sums in one pass, patch with corrected sums, digest.

What is particular here:

- One lane makes one block of the generator, four elements in natural order, so an element never
  leaves its thread before it is stored: four float32 are one store of 128 bits. A program makes
  whole tiles of the digest (4,096 bytes), whose sums H it reduces from registers.
- fin(H) is not linear, so a patch cannot be added to a finished digest. The sums H are therefore
  kept, 8 bytes a tile (0.2 %), until the tensor is patched. A patched word of 8 bytes changes its
  H by term(new) - term(old): the patch touches the sectors it has to touch anyhow. Digesting after
  the patch would read the whole tensor again, 4 bytes an element against about 0.6 at 1 %;
  patching in registers would need a search for each tile, or a bit for each element.
- Numbers of 32 and 64 bits come as signed 32-bit halves: an argument of 2**31 or more would change
  its type and compile everything again. None is specialised, since 1 would become a constant.
- Full tiles are stored without a mask, else stores are of 32 bits; what is left of a tensor, and
  ranges that begin inside a block, take the masked form.
- There is one float operation, a product that nothing follows. Narrowing is done on integers.
"""

# Constants of a kernel are in capitals, and Triton takes no annotations of tensors.
# ruff: noqa: N803, PLR0917
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators

import triton
import triton.language as tl

from freezepack.rebuild.torch_devices.triton_parts import (
    SIGN,
    block_terms,
    draw,
    field,
    narrow,
    philox,
    signs,
    term,
    wide,
)

WORDS = tl.constexpr(512)
"""Words of 8 bytes in a tile."""

_FILL_NUMBERS = (
    "first_low", "first_high", "key_low", "key_high", "stream_low", "stream_high",
    "bits", "tail", "skip", "count_low", "count_high",
)  # fmt: skip


@triton.jit(do_not_specialize=_FILL_NUMBERS)
def fill_kernel(
    out,
    sums,
    table,
    keys,
    first_low,
    first_high,
    key_low,
    key_high,
    stream_low,
    stream_high,
    bits,
    tail,
    skip,
    count_low,
    count_high,
    DRAW: tl.constexpr,
    DTYPE: tl.constexpr,
    DIGEST: tl.constexpr,
    FULL: tl.constexpr,
    LANES: tl.constexpr,
    TILES: tl.constexpr,
):
    """Write elements of a base, and the sums of their tiles, TILES tiles of LANES blocks each.

    `first` is the number of the first block, `skip` how many of its elements come before `out`,
    `count` the number of elements. FULL: nothing is skipped, and every program has all its tiles.
    """
    tile = tl.program_id(0).to(tl.int64) * TILES
    lane = tl.arange(0, TILES * LANES)
    local = tile * LANES + lane
    block = local.to(tl.uint64) + wide(first_low, first_high)
    scale = bits.to(tl.uint32, bitcast=True)
    if DRAW == SIGN:
        w0, w1, w2, w3 = philox(block >> 5, key_low, key_high, stream_low, stream_high)
        number = (block >> 3).to(tl.uint32) & 3
        word = tl.where(number < 2, tl.where(number == 0, w0, w1), tl.where(number == 2, w2, w3))
        e0 = signs(word, scale, block, 0, DTYPE)
        e1 = signs(word, scale, block, 1, DTYPE)
        e2 = signs(word, scale, block, 2, DTYPE)
        e3 = signs(word, scale, block, 3, DTYPE)
    else:
        w0, w1, w2, w3 = philox(block, key_low, key_high, stream_low, stream_high)
        factor = scale.to(tl.float32, bitcast=True)
        limit = tail.to(tl.uint32, bitcast=True)
        e0 = narrow(draw(w0, table, factor, limit, DRAW), DTYPE)
        e1 = narrow(draw(w1, table, factor, limit, DRAW), DTYPE)
        e2 = narrow(draw(w2, table, factor, limit, DRAW), DTYPE)
        e3 = narrow(draw(w3, table, factor, limit, DRAW), DTYPE)
    count = wide(count_low, count_high).to(tl.int64)
    if not FULL:
        # What is outside is not stored, and counts as zeros.
        place = local * 4 - skip
        in0 = (place >= 0) & (place < count)
        in1 = (place + 1 >= 0) & (place + 1 < count)
        in2 = (place + 2 >= 0) & (place + 2 < count)
        in3 = (place + 3 >= 0) & (place + 3 < count)
        tl.store(out + place, e0, mask=in0)
        tl.store(out + place + 1, e1, mask=in1)
        tl.store(out + place + 2, e2, mask=in2)
        tl.store(out + place + 3, e3, mask=in3)
        e0 = tl.where(in0, e0, 0)
        e1 = tl.where(in1, e1, 0)
        e2 = tl.where(in2, e2, 0)
        e3 = tl.where(in3, e3, 0)
    else:
        elements = tl.join(tl.join(e0, e2), tl.join(e1, e3))
        elements = tl.reshape(elements, (4 * TILES * LANES,))
        tl.store(out + tile * (4 * LANES) + tl.arange(0, 4 * TILES * LANES), elements)
    if DIGEST:
        terms = block_terms(e0, e1, e2, e3, keys, lane % LANES, DTYPE).to(tl.int64, bitcast=True)
        each = tile + tl.arange(0, TILES)
        found = tl.sum(tl.reshape(terms, (TILES, LANES)), axis=1)
        tl.store(sums + each, found, mask=each * (4 * LANES) < count)


@triton.jit(do_not_specialize=("size_low", "size_high"))
def sums_kernel(out, sums, keys, size_low, size_high, SIZE: tl.constexpr, TILES: tl.constexpr):
    """Write the sums of a tensor in memory, TILES tiles a program. SIZE: bytes of an element."""
    tile = tl.program_id(0).to(tl.int64) * TILES
    size = wide(size_low, size_high).to(tl.int64)
    lanes: tl.constexpr = 8 // SIZE
    word = tl.arange(0, TILES * WORDS)
    part = tl.arange(0, lanes)
    place = (tile * WORDS + word[:, None]) * lanes + part[None, :]
    fields = field(tl.load(out + place, mask=place < size, other=0), SIZE)
    shifted = fields << (part * (8 * SIZE)).to(tl.uint64)[None, :]
    # The fields do not overlap, so their sum is their union.
    content = tl.sum(shifted.to(tl.int64, bitcast=True), axis=1).to(tl.uint64, bitcast=True)
    key = keys + 2 * (word % WORDS)
    terms = term(content, tl.load(key), tl.load(key + 1)).to(tl.int64, bitcast=True)
    each = tile + tl.arange(0, TILES)
    found = tl.sum(tl.reshape(terms, (TILES, WORDS)), axis=1)
    tl.store(sums + each, found, mask=each * (WORDS * lanes) < size)


@triton.jit(do_not_specialize=("count", "offset_low", "offset_high", "size_low", "size_high"))
def patch_kernel(
    out,
    sums,
    keys,
    positions,
    values,
    count,
    offset_low,
    offset_high,
    size_low,
    size_high,
    SIZE: tl.constexpr,
    DIGEST: tl.constexpr,
    LANES: tl.constexpr,
):
    """Replace elements, and correct the sums of their tiles.

    The lane of the first patched element in a word of 8 bytes writes all of that word, so no two
    lanes touch the same word.
    """
    lanes: tl.constexpr = 8 // SIZE
    ones: tl.constexpr = (1 << (8 * SIZE)) - 1
    number = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    offset = wide(offset_low, offset_high).to(tl.int64)
    size = wide(size_low, size_high).to(tl.int64)
    inside = number < count
    word = (tl.load(positions + number, mask=inside, other=0).to(tl.int64) + offset) // lanes
    has_before = inside & (number > 0)
    before = tl.load(positions + number - 1, mask=has_before, other=0).to(tl.int64) + offset
    leads = inside & ((number == 0) | (before // lanes != word))
    old = tl.zeros_like(word).to(tl.uint64)
    if DIGEST:
        for part in tl.static_range(lanes):
            place = word * lanes + part
            there = tl.load(out + place, mask=leads & (place < size), other=0)
            old = old | (field(there, SIZE) << (8 * SIZE * part))
    new = old
    for step in tl.static_range(lanes):
        follows = leads & (number + step < count)
        place = tl.load(positions + number + step, mask=follows, other=0).to(tl.int64) + offset
        mine = follows & (place // lanes == word)
        value = tl.load(values + number + step, mask=mine, other=0)
        tl.store(out + place, value, mask=mine)
        if DIGEST:
            shift = ((place % lanes) * (8 * SIZE)).to(tl.uint64)
            mask = (tl.zeros_like(new) + ones) << shift
            new = tl.where(mine, (new ^ (new & mask)) | (field(value, SIZE) << shift), new)
    if DIGEST:
        key = keys + 2 * (word % WORDS)
        key_low = tl.load(key, mask=leads, other=0)
        key_high = tl.load(key + 1, mask=leads, other=0)
        change = term(new, key_low, key_high) - term(old, key_low, key_high)
        tl.atomic_add(sums + word // WORDS, change.to(tl.int64, bitcast=True), leads, sem="relaxed")


@triton.jit(do_not_specialize=("tiles",))
def finish_kernel(sums, digest, tiles, LANES: tl.constexpr):
    """Add fin(H + (t + 1) * 0x9e3779b97f4a7c15) of every tile t to `digest`."""
    tile = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    inside = tile < tiles
    z = tl.load(sums + tile, mask=inside, other=0).to(tl.uint64, bitcast=True)
    z = z + (tile + 1).to(tl.uint64) * 0x9E3779B97F4A7C15
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
    z = tl.where(inside, z ^ (z >> 31), 0)
    tl.atomic_add(digest, tl.sum(z.to(tl.int64, bitcast=True), axis=0), sem="relaxed")
