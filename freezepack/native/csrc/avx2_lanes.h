// How vectors of AVX2 with F16C draw; see vector_draws.h, which goes before it.

namespace {

using V = __m256i;

FPK_INLINE V set(uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
FPK_INLINE V upper(V v) { return _mm256_srli_epi64(v, 32); }
FPK_INLINE V bit_xor(V a, V b) { return _mm256_xor_si256(a, b); }
FPK_INLINE V bit_xor(V a, V b, V c) { return bit_xor(bit_xor(b, c), a); }
FPK_INLINE V load(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
FPK_INLINE void save(void* to, V v) { _mm256_storeu_si256(static_cast<__m256i*>(to), v); }

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

}  // namespace
