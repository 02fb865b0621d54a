// The loops for AVX-512: F, BW, CD, DQ and VL.
#include "kernels.h"
#include "normal_table.h"

#if defined(FPK_X86)
#include <immintrin.h>

#if !defined(__clang__)
// GCC 12 takes the undefined operands of its own intrinsics for mistakes.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

FPK_TARGET_BEGIN("avx512f,avx512bw,avx512cd,avx512dq,avx512vl")

#include "vector_draws.h"

#include "avx512_lanes.h"

namespace {

constexpr _MM_PERM_ENUM SWAP = static_cast<_MM_PERM_ENUM>(0xB1);  // words 1, 0, 3, 2

FPK_INLINE V bit_xor(V a, V b, V c) { return _mm512_ternarylogic_epi32(a, b, c, 0x96); }

constexpr int STATES = 8;  // vectors of eight blocks that are advanced together

// Each 64-bit lane is a block. A product is kept whole: multiplications read lower halves only, so
// that one shuffle, of the upper half, serves both halves.
void words(uint32_t* out, uint64_t block, uint32_t count, const Rounds& rounds) {
    // Blocks in this order come out in natural order when lanes are paired below.
    const V order = _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
    const V by_a = set(PHILOX_A), by_c = set(PHILOX_C);
    const V step = _mm512_set1_epi64(8 * static_cast<int64_t>(PHILOX_A));
    const V low = _mm512_set1_epi64(static_cast<uint32_t>(block));
    V next = _mm512_mul_epu32(_mm512_add_epi64(low, order), by_a);
    for (uint32_t done = 0; done < count; done += 8 * STATES) {
        V a[STATES], c[STATES], p[STATES], q[STATES];
        for (int i = 0; i < STATES; i++) {
            p[i] = next;
            next = _mm512_add_epi64(next, step);
            c[i] = bit_xor(upper(p[i]), set(rounds.first));
        }
        for (int i = 0; i < STATES; i++) {
            q[i] = _mm512_mul_epu32(c[i], by_c);
            a[i] = bit_xor(upper(q[i]), set(rounds.second_a));
            c[i] = bit_xor(p[i], set(rounds.second_c));
        }
        for (int i = 0; i < STATES; i++) {
            const V old = q[i];
            p[i] = _mm512_mul_epu32(a[i], by_a);
            q[i] = _mm512_mul_epu32(c[i], by_c);
            a[i] = bit_xor(upper(q[i]), old, set(rounds.key_a[2]));
            c[i] = bit_xor(upper(p[i]), set(rounds.third));
        }
        FPK_UNROLL
        for (int round = 3; round < 9; round++)
            for (int i = 0; i < STATES; i++) {
                const V old_p = p[i], old_q = q[i];
                p[i] = _mm512_mul_epu32(a[i], by_a);
                q[i] = _mm512_mul_epu32(c[i], by_c);
                a[i] = bit_xor(upper(q[i]), old_q, set(rounds.key_a[round]));
                c[i] = bit_xor(upper(p[i]), old_p, set(rounds.key_c[round]));
            }
        for (int i = 0; i < STATES; i++) {
            const V last_p = _mm512_shuffle_epi32(_mm512_mul_epu32(a[i], by_a), SWAP);
            const V last_q = _mm512_shuffle_epi32(_mm512_mul_epu32(c[i], by_c), SWAP);
            // Words 0 and 1 of the blocks, then words 2 and 3.
            const V ab = _mm512_mask_ternarylogic_epi32(last_q, 0x5555, q[i],
                                                        set(rounds.key_a[9]), 0x96);
            const V cd = _mm512_mask_ternarylogic_epi32(last_p, 0x5555, p[i],
                                                        set(rounds.key_c[9]), 0x96);
            uint32_t* to = out + 4 * (done + 8 * i);
            _mm512_storeu_si512(to, _mm512_unpacklo_epi64(ab, cd));
            _mm512_storeu_si512(to + 16, _mm512_unpackhi_epi64(ab, cd));
        }
    }
}

void signs(void* out, const uint32_t* words, uint32_t count, uint32_t itemsize, uint64_t value) {
    unsigned char* to = static_cast<unsigned char*>(out);
    const uint64_t minus = value | (UINT64_C(1) << (8 * itemsize - 1));
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bits = words[i];
        if (itemsize == 2) {
            const V v = _mm512_mask_blend_epi16(bits, _mm512_set1_epi16(static_cast<short>(value)),
                                                _mm512_set1_epi16(static_cast<short>(minus)));
            _mm512_storeu_si512(to, v);
            to += 64;
        } else if (itemsize == 4) {
            const V plus4 = set(static_cast<uint32_t>(value));
            const V minus4 = set(static_cast<uint32_t>(minus));
            for (int j = 0; j < 2; j++, to += 64) {
                const __mmask16 mask = static_cast<__mmask16>(bits >> (16 * j));
                _mm512_storeu_si512(to, _mm512_mask_blend_epi32(mask, plus4, minus4));
            }
        } else {
            const V plus8 = _mm512_set1_epi64(static_cast<int64_t>(value));
            const V minus8 = _mm512_set1_epi64(static_cast<int64_t>(minus));
            for (int j = 0; j < 4; j++, to += 64) {
                const __mmask8 mask = static_cast<__mmask8>(bits >> (8 * j));
                _mm512_storeu_si512(to, _mm512_mask_blend_epi64(mask, plus8, minus8));
            }
        }
    }
}

template <bool COPY>
FPK_INLINE uint64_t sum_tile(const unsigned char* tile, const uint32_t* keys, unsigned char* out) {
    V total[4] = {};
    for (uint32_t i = 0; i < DIGEST_TILE; i += 256)
        for (int j = 0; j < 4; j++) {
            const V d = _mm512_loadu_si512(tile + i + 64 * j);
            if (COPY) _mm512_storeu_si512(out + i + 64 * j, d);
            const V x = _mm512_add_epi32(d, _mm512_loadu_si512(keys + (i + 64 * j) / 4));
            const V product = _mm512_mul_epu32(x, upper(x));
            total[j] = _mm512_add_epi64(total[j], _mm512_add_epi64(d, product));
        }
    const V left = _mm512_add_epi64(total[0], total[1]);
    const V right = _mm512_add_epi64(total[2], total[3]);
    uint64_t lanes[8], whole = 0;
    _mm512_storeu_si512(lanes, _mm512_add_epi64(left, right));
    for (const uint64_t lane : lanes) whole += lane;
    return whole;
}

uint64_t sum(const unsigned char* tile, const uint32_t* keys) {
    return sum_tile<false>(tile, keys, nullptr);
}

uint64_t sum_and_copy(const unsigned char* tile, const uint32_t* keys, unsigned char* out) {
    return sum_tile<true>(tile, keys, out);
}

}  // namespace

const Kernels AVX512_KERNELS = {words, Draws<Lanes>::draw, signs, sum, sum_and_copy};

FPK_TARGET_END
#endif
