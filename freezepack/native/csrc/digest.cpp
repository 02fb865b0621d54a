// The digest of a tensor (formats/generators.md, section 9): sums over tiles that add up.
#include "digest.h"

namespace {

constexpr uint64_t TILE = 4096;
constexpr uint32_t WORDS = TILE / 8;

inline uint64_t little(uint64_t d) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(d);
#else
    return d;
#endif
}

inline uint64_t finish(uint64_t z) {
    z ^= z >> 30;
    z *= 0xBF58476D1CE4E5B9u;
    z ^= z >> 27;
    z *= 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// `low` and `high` are the halves of the key words.
FPK_CLONES uint64_t tile_sum(const unsigned char* data, const uint32_t* low, const uint32_t* high) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t d;
        std::memcpy(&d, data + 8 * i, 8);
        d = little(d);
        const uint32_t a = static_cast<uint32_t>(d) + low[i];
        const uint32_t b = static_cast<uint32_t>(d >> 32) + high[i];
        sum += d + static_cast<uint64_t>(a) * b;
    }
    return sum;
}

}  // namespace

uint64_t sum_tiles(const unsigned char* data, uint64_t size, uint64_t first, const uint32_t* keys) {
    uint32_t low[WORDS], high[WORDS];
    for (uint32_t i = 0; i < WORDS; i++) {
        low[i] = keys[2 * i];
        high[i] = keys[2 * i + 1];
    }
    uint64_t sum = 0;
    for (uint64_t done = 0; done < size; done += TILE) {
        const unsigned char* tile = data + done;
        unsigned char padded[TILE] = {};
        if (size - done < TILE) {
            std::memcpy(padded, tile, static_cast<size_t>(size - done));
            tile = padded;
        }
        first++;
        sum += finish(tile_sum(tile, low, high) + first * 0x9E3779B97F4A7C15u);
    }
    return sum;
}

FPK_API uint64_t fpk_digest(const unsigned char* data, uint64_t size, uint64_t first,
                            const uint32_t* keys) {
    return sum_tiles(data, size, first, keys);
}
