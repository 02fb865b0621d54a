// The loops for any processor: a transcription of formats/generators.md that compilers turn into
// vector code where they can.
#include "kernels.h"
#include "narrow.h"
#include "normal_table.h"

namespace {

// Section 2, with the first rounds as philox.h says.
FPK_CLONES void words(uint32_t* __restrict out, uint64_t block, uint32_t count,
                      const Rounds& rounds) {
    const Rounds r = rounds;
    for (uint32_t done = 0; done < count; done += BLOCKS) {
        uint32_t a[BLOCKS], b[BLOCKS], c[BLOCKS], d[BLOCKS];
        for (uint32_t i = 0; i < BLOCKS; i++) {
            const uint64_t number = static_cast<uint32_t>(block) + done + i;
            const uint64_t p = static_cast<uint32_t>(number) * static_cast<uint64_t>(PHILOX_A);
            const uint32_t c1 = static_cast<uint32_t>(p >> 32) ^ r.first;
            const uint64_t q = c1 * static_cast<uint64_t>(PHILOX_C);
            const uint32_t a2 = static_cast<uint32_t>(q >> 32) ^ r.second_a;
            const uint32_t c2 = static_cast<uint32_t>(p) ^ r.second_c;
            const uint64_t p3 = a2 * static_cast<uint64_t>(PHILOX_A);
            const uint64_t q3 = c2 * static_cast<uint64_t>(PHILOX_C);
            a[i] = static_cast<uint32_t>(q3 >> 32) ^ static_cast<uint32_t>(q) ^ r.key_a[2];
            b[i] = static_cast<uint32_t>(q3);
            c[i] = static_cast<uint32_t>(p3 >> 32) ^ r.third;
            d[i] = static_cast<uint32_t>(p3);
        }
        for (int round = 3; round < 10; round++) {
            const uint32_t key_a = r.key_a[round], key_c = r.key_c[round];
            for (uint32_t i = 0; i < BLOCKS; i++) {
                const uint64_t p = a[i] * static_cast<uint64_t>(PHILOX_A);
                const uint64_t q = c[i] * static_cast<uint64_t>(PHILOX_C);
                a[i] = static_cast<uint32_t>(q >> 32) ^ b[i] ^ key_a;
                c[i] = static_cast<uint32_t>(p >> 32) ^ d[i] ^ key_c;
                b[i] = static_cast<uint32_t>(q);
                d[i] = static_cast<uint32_t>(p);
            }
        }
        for (uint32_t i = 0; i < BLOCKS; i++) {
            uint32_t* to = out + 4 * (done + i);
            to[0] = a[i];
            to[1] = b[i];
            to[2] = c[i];
            to[3] = d[i];
        }
    }
}

inline uint32_t mulhi(uint32_t a, uint32_t b) {
    return static_cast<uint32_t>((static_cast<uint64_t>(a) * b) >> 32);
}

// Section 3.
void uniform(int32_t* __restrict k, const uint32_t* __restrict words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) k[i] = 2 * static_cast<int32_t>(words[i] >> 8) - 16777215;
}

// Section 4, from "octave" on. The magnitude comes from v = tails | low, the sign from the word.
FPK_CLONES void normal(int32_t* __restrict k, const uint32_t* tails, uint32_t low,
                       const uint32_t* words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t v = tails[i] | low;
        const uint32_t e = leading_zeros(v);
        const uint32_t t = static_cast<uint32_t>(static_cast<uint64_t>(v) << (e + 1));
        uint32_t a = NORMAL[5][e];
        a = NORMAL[4][e] - mulhi(a, t);
        a = NORMAL[3][e] - mulhi(a, t);
        a = NORMAL[2][e] - mulhi(a, t);
        a = NORMAL[1][e] - mulhi(a, t);
        a = NORMAL[0][e] - mulhi(a, t);
        const int32_t minus = -static_cast<int32_t>(words[i] & 1u);
        k[i] = (static_cast<int32_t>(a >> 8) ^ minus) - minus;
    }
}

// Section 5: the tail probability of a truncated normal.
void truncate(uint32_t* __restrict v, const uint32_t* __restrict words, uint32_t count,
              uint32_t tail) {
    const uint32_t span = 0u - tail;  // 2^32 - tail
    for (uint32_t i = 0; i < count; i++)
        v[i] = tail + static_cast<uint32_t>((static_cast<uint64_t>(words[i] >> 1) * span) >> 31);
}

inline uint32_t pattern(int32_t k, float factor) {
    const float value = static_cast<float>(k) * factor;
    uint32_t x;
    std::memcpy(&x, &value, 4);
    return x;
}

// Section 7.
void store(void* out, uint32_t dtype, const int32_t* k, uint32_t count, float factor) {
    if (dtype == FLOAT32) {
        float* to = static_cast<float*>(out);
        for (uint32_t i = 0; i < count; i++) to[i] = static_cast<float>(k[i]) * factor;
    } else if (dtype == BFLOAT16) {
        uint16_t* to = static_cast<uint16_t*>(out);
        for (uint32_t i = 0; i < count; i++) to[i] = to_bfloat16(pattern(k[i], factor));
    } else if (dtype == FLOAT16) {
        uint16_t* to = static_cast<uint16_t*>(out);
        for (uint32_t i = 0; i < count; i++) to[i] = to_float16(pattern(k[i], factor));
    } else {
        double* to = static_cast<double*>(out);
        for (uint32_t i = 0; i < count; i++) {
            const float value = static_cast<float>(k[i]) * factor;
            to[i] = static_cast<double>(value);
        }
    }
}

void draw(void* out, const uint32_t* words, uint32_t count, const Recipe& recipe) {
    alignas(64) int32_t k[TILE];
    if (recipe.draw == UNIFORM) {
        uniform(k, words, count);
    } else if (recipe.draw == NORMAL_DRAW) {
        normal(k, words, 1, words, count);
    } else {
        alignas(64) uint32_t v[TILE];
        truncate(v, words, count, recipe.tail);
        normal(k, v, 0, words, count);
    }
    store(out, recipe.dtype, k, count, recipe.factor);
}

template <class T>
void signs_of(T* __restrict out, const uint32_t* __restrict words, uint32_t count, T value) {
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < 32; j++) {
            const T bit = static_cast<T>((words[i] >> j) & 1u);
            out[32 * i + j] = static_cast<T>(value | static_cast<T>(bit << (8 * sizeof(T) - 1)));
        }
}

void signs(void* out, const uint32_t* words, uint32_t count, uint32_t itemsize, uint64_t value) {
    if (itemsize == 2)
        signs_of(static_cast<uint16_t*>(out), words, count, static_cast<uint16_t>(value));
    else if (itemsize == 4)
        signs_of(static_cast<uint32_t*>(out), words, count, static_cast<uint32_t>(value));
    else
        signs_of(static_cast<uint64_t*>(out), words, count, value);
}

inline uint64_t little(uint64_t d) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(d);
#else
    return d;
#endif
}

// Section 9.
FPK_CLONES uint64_t sum(const unsigned char* tile, const uint32_t* keys) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < DIGEST_TILE / 8; i++) {
        uint64_t d;
        std::memcpy(&d, tile + 8 * i, 8);
        d = little(d);
        const uint32_t low = static_cast<uint32_t>(d) + keys[2 * i];
        const uint32_t high = static_cast<uint32_t>(d >> 32) + keys[2 * i + 1];
        total += d + static_cast<uint64_t>(low) * high;
    }
    return total;
}

uint64_t sum_and_copy(const unsigned char* tile, const uint32_t* keys, unsigned char* out) {
    std::memcpy(out, tile, DIGEST_TILE);
    return sum(tile, keys);
}

}  // namespace

const Kernels PORTABLE_KERNELS = {words, draw, signs, sum, sum_and_copy};
