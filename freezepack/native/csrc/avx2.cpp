// The loops for AVX2 with F16C.
#include "kernels.h"
#include "normal_table.h"

#if defined(FPK_X86)
#include <immintrin.h>

FPK_TARGET_BEGIN("avx2,f16c")

#include "vector_draws.h"

#include "avx2_lanes.h"

namespace {

constexpr int SWAP = 0xB1;  // words 1, 0, 3, 2

constexpr int STATES = 8;  // vectors of four blocks that are advanced together

// Each 64-bit lane is a block; see avx512.cpp.
void words(uint32_t* out, uint64_t block, uint32_t count, const Rounds& rounds) {
    const V order = _mm256_set_epi64x(3, 1, 2, 0);  // so that pairs come out in natural order
    const V by_a = set(PHILOX_A), by_c = set(PHILOX_C);
    const V step = _mm256_set1_epi64x(4 * static_cast<int64_t>(PHILOX_A));
    const V low = _mm256_set1_epi64x(static_cast<uint32_t>(block));
    V next = _mm256_mul_epu32(_mm256_add_epi64(low, order), by_a);
    for (uint32_t done = 0; done < count; done += 4 * STATES) {
        V a[STATES], c[STATES], p[STATES], q[STATES];
        for (int i = 0; i < STATES; i++) {
            p[i] = next;
            next = _mm256_add_epi64(next, step);
            c[i] = bit_xor(upper(p[i]), set(rounds.first));
        }
        for (int i = 0; i < STATES; i++) {
            q[i] = _mm256_mul_epu32(c[i], by_c);
            a[i] = bit_xor(upper(q[i]), set(rounds.second_a));
            c[i] = bit_xor(p[i], set(rounds.second_c));
        }
        for (int i = 0; i < STATES; i++) {
            const V old = q[i];
            p[i] = _mm256_mul_epu32(a[i], by_a);
            q[i] = _mm256_mul_epu32(c[i], by_c);
            a[i] = bit_xor(upper(q[i]), old, set(rounds.key_a[2]));
            c[i] = bit_xor(upper(p[i]), set(rounds.third));
        }
        FPK_UNROLL
        for (int round = 3; round < 9; round++)
            for (int i = 0; i < STATES; i++) {
                const V old_p = p[i], old_q = q[i];
                p[i] = _mm256_mul_epu32(a[i], by_a);
                q[i] = _mm256_mul_epu32(c[i], by_c);
                a[i] = bit_xor(upper(q[i]), old_q, set(rounds.key_a[round]));
                c[i] = bit_xor(upper(p[i]), old_p, set(rounds.key_c[round]));
            }
        for (int i = 0; i < STATES; i++) {
            const V last_p = _mm256_shuffle_epi32(_mm256_mul_epu32(a[i], by_a), SWAP);
            const V last_q = _mm256_shuffle_epi32(_mm256_mul_epu32(c[i], by_c), SWAP);
            // Words 0 and 1 of the blocks, then words 2 and 3.
            const V ab = _mm256_blend_epi32(
                last_q, bit_xor(last_q, q[i], set(rounds.key_a[9])), 0x55);
            const V cd = _mm256_blend_epi32(
                last_p, bit_xor(last_p, p[i], set(rounds.key_c[9])), 0x55);
            const V left = _mm256_unpacklo_epi64(ab, cd), right = _mm256_unpackhi_epi64(ab, cd);
            uint32_t* to = out + 4 * (done + 4 * i);
            save(to, left);
            save(to + 8, right);
        }
    }
}

// Each element takes its bit of the word to the place of the sign.
void signs(void* out, const uint32_t* words, uint32_t count, uint32_t itemsize, uint64_t value) {
    unsigned char* to = static_cast<unsigned char*>(out);
    for (uint32_t i = 0; i < count; i++) {
        const V bits = set(words[i]);
        if (itemsize == 2) {
            const V plus = _mm256_set1_epi16(static_cast<short>(value));
            const V sign = _mm256_set1_epi16(static_cast<short>(0x8000));
            const V places = _mm256_set_epi16(0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100,
                                              0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000,
                                              static_cast<short>(0x8000));
            for (int j = 0; j < 2; j++, to += 32) {
                // The product with 2^(15 - n) brings bit n of the word to the top.
                const V half = _mm256_set1_epi16(static_cast<short>(words[i] >> (16 * j)));
                const V top = _mm256_and_si256(_mm256_mullo_epi16(half, places), sign);
                save(to, _mm256_or_si256(plus, top));
            }
        } else if (itemsize == 4) {
            const V plus = set(static_cast<uint32_t>(value)), sign = set(0x80000000u);
            for (int j = 0; j < 4; j++, to += 32) {
                const V by = _mm256_sub_epi32(_mm256_set_epi32(24, 25, 26, 27, 28, 29, 30, 31),
                                              _mm256_set1_epi32(8 * j));
                const V top = _mm256_and_si256(_mm256_sllv_epi32(bits, by), sign);
                save(to, _mm256_or_si256(plus, top));
            }
        } else {
            const V plus = _mm256_set1_epi64x(static_cast<int64_t>(value));
            const V sign = _mm256_set1_epi64x(static_cast<int64_t>(UINT64_C(1) << 63));
            for (int j = 0; j < 8; j++, to += 32) {
                const V by = _mm256_sub_epi64(_mm256_set_epi64x(60, 61, 62, 63),
                                              _mm256_set1_epi64x(4 * j));
                const V top = _mm256_and_si256(_mm256_sllv_epi64(bits, by), sign);
                save(to, _mm256_or_si256(plus, top));
            }
        }
    }
}

template <bool COPY>
FPK_INLINE uint64_t sum_tile(const unsigned char* tile, const uint32_t* keys, unsigned char* out) {
    V total[4] = {};
    for (uint32_t i = 0; i < DIGEST_TILE; i += 128)
        for (int j = 0; j < 4; j++) {
            const V d = load(tile + i + 32 * j);
            if (COPY) save(out + i + 32 * j, d);
            const V x = _mm256_add_epi32(d, load(keys + (i + 32 * j) / 4));
            const V product = _mm256_mul_epu32(x, upper(x));
            total[j] = _mm256_add_epi64(total[j], _mm256_add_epi64(d, product));
        }
    const V left = _mm256_add_epi64(total[0], total[1]);
    const V right = _mm256_add_epi64(total[2], total[3]);
    uint64_t lanes[4];
    save(lanes, _mm256_add_epi64(left, right));
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

uint64_t sum(const unsigned char* tile, const uint32_t* keys) {
    return sum_tile<false>(tile, keys, nullptr);
}

uint64_t sum_and_copy(const unsigned char* tile, const uint32_t* keys, unsigned char* out) {
    return sum_tile<true>(tile, keys, out);
}

}  // namespace

const Kernels AVX2_KERNELS = {words, Draws<Lanes>::draw, signs, sum, sum_and_copy};

FPK_TARGET_END
#endif
