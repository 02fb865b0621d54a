// A base, its patch and the digest in one pass: each tile is made, patched and summed while it is
// in the cache.
#include "digest.h"
#include "generate.h"

namespace {

constexpr uint32_t PIECE = 4096;  // elements; a whole number of digest tiles for every element size
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
    uint64_t i = 0;
    for (; i < patch.left && patch.positions[i] < end; i++)
        std::memcpy(out + (patch.positions[i] - begin) * SIZE, patch.values + i * SIZE, SIZE);
    patch.positions += i;
    patch.values += i * SIZE;
    patch.left -= i;
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
    unsigned char* bytes = static_cast<unsigned char*>(out);
    Patch patch = {positions, static_cast<const unsigned char*>(values), trained};
    for (uint64_t done = 0; done < count;) {
        const uint64_t room = PIECE - (start + done) % PIECE;
        const uint64_t part = room < count - done ? room : count - done;
        unsigned char* to = bytes + done * itemsize;
        if (draw == ZEROS) {
            std::memset(to, 0, static_cast<size_t>(part * itemsize));
        } else if (draw != KEEP) {
            const int32_t code = fill(to, start + done, part, {key, id}, draw, dtype, bits, tail);
            if (code != 0) return code;
        }
        apply(to, done, done + part, itemsize, patch);
        if (digest != nullptr)
            *digest += sum_tiles(to, part * itemsize, (start + done) * itemsize / 4096, digest_keys);
        done += part;
    }
    return 0;
}
