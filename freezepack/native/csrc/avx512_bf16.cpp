// The loops for AVX-512 with BF16: processors that round to bfloat16 themselves.
#include "kernels.h"
#include "normal_table.h"

#if defined(FPK_AVX512_BF16)
#include <immintrin.h>

#if !defined(__clang__)
// GCC 12 takes the undefined operands of its own intrinsics for mistakes.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

FPK_TARGET_BEGIN("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512bf16")

#include "vector_draws.h"

#include "avx512_lanes.h"

namespace {

// The instruction takes subnormal numbers for 0, but no draw gives any: a factor is at least 2^-126.
struct RoundingLanes : Lanes {
    template <uint32_t DTYPE>
    static FPK_INLINE void store(unsigned char* out, const V* k, __m512 scale) {
        if (DTYPE != BFLOAT16) return Lanes::store<DTYPE>(out, k, scale);
        for (int i = 0; i < UNROLL; i += 2) {
            const __m512 low = _mm512_mul_ps(_mm512_cvtepi32_ps(k[i]), scale);
            const __m512 high = _mm512_mul_ps(_mm512_cvtepi32_ps(k[i + 1]), scale);
            const __m512bh both = _mm512_cvtne2ps_pbh(high, low);
            std::memcpy(out + 32 * i, &both, 64);
        }
    }
};

}  // namespace

FPK_TARGET_END

const Kernels AVX512_BF16_KERNELS = {AVX512_KERNELS.words, Draws<RoundingLanes>::draw,
                                     AVX512_KERNELS.signs, AVX512_KERNELS.sum,
                                     AVX512_KERNELS.sum_and_copy};
#endif
