// A base, its patch and the digest in one pass: each tile is made, patched and summed while it is
// in the cache.
#include "digest.h"
#include "generate.h"

namespace {

constexpr uint32_t ZEROS = 0xFFFE, KEEP = 0xFFFF;

uint32_t itemsize_of(uint32_t dtype) {  // formats/ids.toml; 0 is an unknown element type
    static const uint8_t sizes[] = {0, 4, 2, 2, 8, 1, 1, 1, 2, 4, 8, 1, 2, 4, 8, 1, 8, 16};
    return dtype < sizeof sizes ? sizes[dtype] : 0;
}

struct Patch {
    const uint32_t* positions;
    const unsigned char* values;
    uint64_t left;
};

template <size_t SIZE>
void apply_sized(unsigned char* out, uint64_t begin, uint64_t end, Patch& patch) {
    // Copies, because a store to `out` might change the patch for all that the compiler knows.
    const uint32_t* position = patch.positions;
    const uint32_t* const last = position + patch.left;
    const unsigned char* value = patch.values;
    for (; position != last && *position < end; position++, value += SIZE)
        std::memcpy(out + (*position - begin) * SIZE, value, SIZE);
    patch = {position, value, static_cast<uint64_t>(last - position)};
}

// Replaces what the patch has of elements `begin` to `end - 1`, which lie at `out`.
void apply(unsigned char* out, uint64_t begin, uint64_t end, uint32_t itemsize, Patch& patch) {
    switch (itemsize) {
        case 1: return apply_sized<1>(out, begin, end, patch);
        case 2: return apply_sized<2>(out, begin, end, patch);
        case 4: return apply_sized<4>(out, begin, end, patch);
        case 8: return apply_sized<8>(out, begin, end, patch);
        default: return apply_sized<16>(out, begin, end, patch);
    }
}

// Where the elements are made: tiles of the digest, elements `start` to `start + count - 1`.
struct Target {
    Base& base;
    uint32_t draw, itemsize;
    uint64_t start, count;
    Patch patch;

    // Makes elements `done` to `done + part - 1`, counted from `start`, at `to`.
    void make(unsigned char* to, uint64_t done, uint64_t part) {
        if (draw == ZEROS)
            std::memset(to, 0, static_cast<size_t>(part * itemsize));
        else if (draw != KEEP)
            base.fill(to, start + done, part);
        apply(to, done, done + part, itemsize, patch);
    }

    // Pieces end where tiles of the digest do.
    uint64_t piece(uint64_t done) const {
        const uint64_t most = DIGEST_TILE / itemsize;
        const uint64_t room = most - (start + done) % most;
        return room < count - done ? room : count - done;
    }
};

void make_in_place(Target& target, unsigned char* out, const uint32_t* keys, uint64_t* digest) {
    uint64_t tile = target.start * target.itemsize / DIGEST_TILE;
    for (uint64_t done = 0; done < target.count; tile++) {
        const uint64_t part = target.piece(done);
        unsigned char* to = out + done * target.itemsize;
        target.make(to, done, part);
        if (digest != nullptr) *digest += sum_tiles(to, part * target.itemsize, tile, keys);
        done += part;
    }
}

// Makes a tile in one buffer while the last one, in the other, becomes ready to be read: loads from
// `out` would wait for its cache lines, and loads from elements just patched for their stores.
void make_in_turns(Target& target, unsigned char* out, const uint32_t* keys, uint64_t* digest) {
    alignas(64) unsigned char room[5 * DIGEST_TILE];
    unsigned char* const first = room + half_page_apart(room, out);
    unsigned char* const buffers[2] = {first, first + DIGEST_TILE};
    uint32_t* const own_keys = reinterpret_cast<uint32_t*>(first + 2 * DIGEST_TILE + 1024);
    std::memcpy(own_keys, keys, DIGEST_TILE);
    unsigned char* to = out;
    uint64_t made = 0;  // bytes in the buffer of the last tile
    uint64_t tile = target.start * target.itemsize / DIGEST_TILE;
    int turn = 0;
    for (uint64_t done = 0; done < target.count; turn ^= 1) {
        const uint64_t part = target.piece(done);
        target.make(buffers[turn], done, part);
        if (made != 0) *digest += sum_tiles(buffers[turn ^ 1], made, tile++, own_keys, to);
        to += made;
        made = part * target.itemsize;
        done += part;
    }
    if (made != 0) *digest += sum_tiles(buffers[turn ^ 1], made, tile, own_keys, to);
}

}  // namespace

// Elements `start` to `start + count - 1` of a base into `out`, with `trained` of them replaced:
// element positions[i], counted from `out`, gets the i-th of `values`. Python has checked that the
// positions increase and are below `count`. With `digest`, the sums of the digest's tiles are added
// to it: `out` then begins with a tile of the tensor, and ends with one or with the tensor.
// Draw ZEROS is a base of zeros; KEEP leaves `out` as it is. 1 is an unknown draw, 2 a dtype.
FPK_API int32_t fpk_rebuild(void* out, uint64_t start, uint64_t count, uint64_t key, uint64_t id,
                            uint32_t draw, uint32_t dtype, uint32_t bits, uint32_t tail,
                            const uint32_t* positions, const void* values, uint64_t trained,
                            const uint32_t* digest_keys, uint64_t* digest) {
    const uint32_t itemsize = itemsize_of(dtype);
    if (itemsize == 0) return 2;
    Base base({key, id}, draw, dtype, bits, tail);
    if (draw != ZEROS && draw != KEEP && base.problem() != 0) return base.problem();
    const Patch patch = {positions, static_cast<const unsigned char*>(values), trained};
    Target target = {base, draw, itemsize, start, count, patch};
    unsigned char* bytes = static_cast<unsigned char*>(out);
    if (digest != nullptr && draw != KEEP)
        make_in_turns(target, bytes, digest_keys, digest);
    else
        make_in_place(target, bytes, digest_keys, digest);
    return 0;
}
