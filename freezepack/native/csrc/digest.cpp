// The digest of a tensor (formats/generators.md, section 9): sums over tiles that add up.
#include "digest.h"

#include "kernels.h"

namespace {

inline uint64_t finish(uint64_t z) {
    z ^= z >> 30;
    z *= 0xBF58476D1CE4E5B9u;
    z ^= z >> 27;
    z *= 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

}  // namespace

uint64_t sum_tiles(const unsigned char* data, uint64_t size, uint64_t first, const uint32_t* keys,
                   unsigned char* copy) {
    const Kernels& kernel = kernels();
    uint64_t total = 0;
    for (uint64_t done = 0; done < size; done += DIGEST_TILE) {
        const unsigned char* tile = data + done;
        unsigned char* to = copy == nullptr ? nullptr : copy + done;
        unsigned char padded[DIGEST_TILE];
        if (size - done < DIGEST_TILE) {
            const size_t left = static_cast<size_t>(size - done);
            std::memset(padded, 0, sizeof padded);
            std::memcpy(padded, tile, left);
            if (to != nullptr) std::memcpy(to, tile, left);
            tile = padded;
            to = nullptr;
        }
        const uint64_t sum =
            to == nullptr ? kernel.sum(tile, keys) : kernel.sum_and_copy(tile, keys, to);
        first++;
        total += finish(sum + first * 0x9E3779B97F4A7C15u);
    }
    return total;
}

FPK_API uint64_t fpk_digest(const unsigned char* data, uint64_t size, uint64_t first,
                            const uint32_t* keys) {
    return sum_tiles(data, size, first, keys);
}
