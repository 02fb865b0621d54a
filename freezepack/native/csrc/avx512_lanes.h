// How vectors of AVX-512 draw; see vector_draws.h, which goes before it.

namespace {

using V = __m512i;

constexpr _MM_PERM_ENUM UPPER = static_cast<_MM_PERM_ENUM>(0xF5);  // words 1, 1, 3, 3 of each four

FPK_INLINE V set(uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
FPK_INLINE V upper(V v) { return _mm512_shuffle_epi32(v, UPPER); }
FPK_INLINE V bit_xor(V a, V b) { return _mm512_xor_si512(a, b); }

struct Lanes {
    using V = __m512i;
    static constexpr int LANES = 16, UNROLL = 4;

    struct Table {
        V low[6], high[6];
        FPK_INLINE Table() {
            for (int d = 0; d < 6; d++) {
                low[d] = _mm512_load_si512(NORMAL[d]);
                high[d] = _mm512_load_si512(NORMAL[d] + 16);
            }
        }
    };
    struct Factor {
        V even, odd;
    };

    static FPK_INLINE V load(const uint32_t* from) { return _mm512_loadu_si512(from); }
    static FPK_INLINE V set(uint32_t x) { return ::set(x); }
    static FPK_INLINE V bit_or(V a, V b) { return _mm512_or_si512(a, b); }
    static FPK_INLINE V bit_and(V a, V b) { return _mm512_and_si512(a, b); }
    static FPK_INLINE V bit_xor(V a, V b) { return ::bit_xor(a, b); }
    static FPK_INLINE V add(V a, V b) { return _mm512_add_epi32(a, b); }
    static FPK_INLINE V sub(V a, V b) { return _mm512_sub_epi32(a, b); }
    static FPK_INLINE V shift_right8(V v) { return _mm512_srli_epi32(v, 8); }
    static FPK_INLINE V shift_right_signed7(V v) { return _mm512_srai_epi32(v, 7); }
    static FPK_INLINE V shift_left_by(V v, V by) { return _mm512_sllv_epi32(v, by); }
    static FPK_INLINE V leading_zeros(V v) { return _mm512_lzcnt_epi32(v); }

    static FPK_INLINE Factor factor(V v) { return {v, upper(v)}; }
    static FPK_INLINE V mulhi(V a, const Factor& b) {
        const V even = _mm512_mul_epu32(a, b.even);
        const V odd = _mm512_mul_epu32(upper(a), b.odd);
        return _mm512_mask_shuffle_epi32(odd, 0x5555, even, UPPER);
    }

    static FPK_INLINE bool all_near(const V*) { return true; }
    template <bool NEAR>
    static FPK_INLINE V look(const Table& table, int row, V octave) {
        return _mm512_permutex2var_epi32(table.low[row], octave, table.high[row]);
    }

    static FPK_INLINE V negate_if_odd(V m, V word) {
        const __mmask16 odd = _mm512_test_epi32_mask(word, set(1));
        return _mm512_mask_sub_epi32(m, odd, _mm512_setzero_si512(), m);
    }

    static FPK_INLINE __m512 set_scale(float factor) { return _mm512_set1_ps(factor); }

    template <uint32_t DTYPE>
    static FPK_INLINE void store(unsigned char* out, const V* k, __m512 scale) {
        __m512 x[UNROLL];
        for (int i = 0; i < UNROLL; i++) x[i] = _mm512_mul_ps(_mm512_cvtepi32_ps(k[i]), scale);
        if (DTYPE == FLOAT32) {
            for (int i = 0; i < UNROLL; i++) _mm512_storeu_ps(out + 64 * i, x[i]);
        } else if (DTYPE == FLOAT64) {
            for (int i = 0; i < UNROLL; i++) {
                const __m256 low = _mm512_castps512_ps256(x[i]);
                const __m256 high = _mm512_extractf32x8_ps(x[i], 1);
                _mm512_storeu_pd(out + 128 * i, _mm512_cvtps_pd(low));
                _mm512_storeu_pd(out + 128 * i + 64, _mm512_cvtps_pd(high));
            }
        } else if (DTYPE == FLOAT16) {
            for (int i = 0; i < UNROLL; i++) {
                const __m256i half = _mm512_cvtps_ph(x[i], _MM_FROUND_TO_NEAREST_INT);
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * i), half);
            }
        } else {
            const V upper_halves = _mm512_load_si512(UPPER_HALVES);
            for (int i = 0; i < UNROLL; i += 2) {
                const V low = to_bfloat16(x[i]), high = to_bfloat16(x[i + 1]);
                const V both = _mm512_permutex2var_epi16(low, upper_halves, high);
                _mm512_storeu_si512(out + 32 * i, both);
            }
        }
    }

    // A bfloat16 in the upper half of each word.
    static FPK_INLINE V to_bfloat16(__m512 value) {
        const V x = _mm512_castps_si512(value);
        const __mmask16 odd = _mm512_test_epi32_mask(x, set(0x10000));
        const V up = _mm512_add_epi32(x, set(0x7FFF));
        return _mm512_mask_sub_epi32(up, odd, up, set(0xFFFFFFFFu));
    }

    alignas(64) static constexpr uint16_t UPPER_HALVES[32] = {
        1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
        33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
};

}  // namespace
