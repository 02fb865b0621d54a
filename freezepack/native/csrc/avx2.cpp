// The loops for AVX2 with F16C.
#include "kernels.h"
#include "normal_table.h"

#if defined(FPK_X86)
#include <immintrin.h>

FPK_TARGET_BEGIN("avx2,f16c")

#include "vector_draws.h"

namespace {

using V = __m256i;

constexpr int SWAP = 0xB1;  // words 1, 0, 3, 2

FPK_INLINE V set(uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
FPK_INLINE V upper(V v) { return _mm256_srli_epi64(v, 32); }
FPK_INLINE V bit_xor(V a, V b) { return _mm256_xor_si256(a, b); }
FPK_INLINE V bit_xor(V a, V b, V c) { return bit_xor(bit_xor(b, c), a); }
FPK_INLINE V load(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
FPK_INLINE void save(void* to, V v) { _mm256_storeu_si256(static_cast<__m256i*>(to), v); }

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

struct Lanes {
    using V = __m256i;
    static constexpr int LANES = 8, UNROLL = 8;
    static constexpr uint32_t ROWS = 8;  // octaves that one permutation reaches

    // All but one in 256 words are in the first eight octaves.
    struct Table {
        V part[6][4];
        FPK_INLINE Table() {
            for (int d = 0; d < 6; d++)
                for (int i = 0; i < 4; i++) part[d][i] = load(NORMAL[d] + ROWS * i);
        }
    };
    struct Factor {
        V even, odd;
    };

    static FPK_INLINE V load(const uint32_t* from) { return ::load(from); }
    static FPK_INLINE V set(uint32_t x) { return ::set(x); }
    static FPK_INLINE V bit_or(V a, V b) { return _mm256_or_si256(a, b); }
    static FPK_INLINE V bit_and(V a, V b) { return _mm256_and_si256(a, b); }
    static FPK_INLINE V bit_xor(V a, V b) { return ::bit_xor(a, b); }
    static FPK_INLINE V add(V a, V b) { return _mm256_add_epi32(a, b); }
    static FPK_INLINE V sub(V a, V b) { return _mm256_sub_epi32(a, b); }
    static FPK_INLINE V shift_right8(V v) { return _mm256_srli_epi32(v, 8); }
    static FPK_INLINE V shift_right_signed7(V v) { return _mm256_srai_epi32(v, 7); }
    static FPK_INLINE V shift_left_by(V v, V by) { return _mm256_sllv_epi32(v, by); }

    // From the exponent of float32(v >> 1), with the bit below the highest cleared so that rounding
    // cannot reach the next power of two. v = 1 has exponent 0 there, hence the minimum.
    static FPK_INLINE V leading_zeros(V v) {
        const V half = _mm256_srli_epi32(v, 1);
        const V clear = _mm256_andnot_si256(_mm256_srli_epi32(v, 2), half);
        const V exponent =
            _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(clear)), 23);
        return _mm256_min_epu32(sub(set(157), exponent), set(31));
    }

    static FPK_INLINE Factor factor(V v) { return {v, upper(v)}; }
    static FPK_INLINE V mulhi(V a, const Factor& b) {
        const V even = _mm256_mul_epu32(a, b.even);
        const V odd = _mm256_mul_epu32(upper(a), b.odd);
        return _mm256_blend_epi32(upper(even), odd, 0xAA);
    }

    static FPK_INLINE bool all_near(const V* octave) {
        V most = octave[0];
        for (int i = 1; i < UNROLL; i++) most = bit_or(most, octave[i]);
        return _mm256_testz_si256(most, set(0u - ROWS));
    }

    template <bool NEAR>
    static FPK_INLINE V look(const Table& table, int row, V octave) {
        const V near = _mm256_permutevar8x32_epi32(table.part[row][0], octave);
        if (NEAR) return near;
        // The sign of a word chooses: bits 3 and 4 of the octave.
        const V by8 = _mm256_slli_epi32(octave, 28), by16 = _mm256_slli_epi32(octave, 27);
        const V first = choose(near, _mm256_permutevar8x32_epi32(table.part[row][1], octave), by8);
        const V second = choose(_mm256_permutevar8x32_epi32(table.part[row][2], octave),
                                _mm256_permutevar8x32_epi32(table.part[row][3], octave), by8);
        return choose(first, second, by16);
    }
    static FPK_INLINE V choose(V plus, V minus, V sign) {
        return _mm256_castps_si256(_mm256_blendv_ps(
            _mm256_castsi256_ps(plus), _mm256_castsi256_ps(minus), _mm256_castsi256_ps(sign)));
    }

    static FPK_INLINE V negate_if_odd(V m, V word) {
        return _mm256_sign_epi32(m, bit_or(_mm256_slli_epi32(word, 31), set(1)));
    }

    static FPK_INLINE __m256 set_scale(float factor) { return _mm256_set1_ps(factor); }

    template <uint32_t DTYPE>
    static FPK_INLINE void store(unsigned char* out, const V* k, __m256 scale) {
        __m256 x[UNROLL];
        for (int i = 0; i < UNROLL; i++) x[i] = _mm256_mul_ps(_mm256_cvtepi32_ps(k[i]), scale);
        if (DTYPE == FLOAT32) {
            for (int i = 0; i < UNROLL; i++) save(out + 32 * i, _mm256_castps_si256(x[i]));
        } else if (DTYPE == FLOAT64) {
            for (int i = 0; i < UNROLL; i++) {
                const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(x[i]));
                const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(x[i], 1));
                save(out + 64 * i, _mm256_castpd_si256(low));
                save(out + 64 * i + 32, _mm256_castpd_si256(high));
            }
        } else if (DTYPE == FLOAT16) {
            for (int i = 0; i < UNROLL; i++) {
                const __m128i half = _mm256_cvtps_ph(x[i], _MM_FROUND_TO_NEAREST_INT);
                _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16 * i), half);
            }
        } else {
            for (int i = 0; i < UNROLL; i += 2) {
                const V both = _mm256_packus_epi32(to_bfloat16(x[i]), to_bfloat16(x[i + 1]));
                save(out + 16 * i, _mm256_permute4x64_epi64(both, 0xD8));
            }
        }
    }

    static FPK_INLINE V to_bfloat16(__m256 value) {
        const V x = _mm256_castps_si256(value);
        const V odd = bit_and(_mm256_srli_epi32(x, 16), set(1));
        return _mm256_srli_epi32(add(add(x, set(0x7FFF)), odd), 16);
    }
};

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
