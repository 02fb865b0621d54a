// The loops for NEON, which every 64-bit ARM processor has.
#include "kernels.h"
#include "normal_table.h"

#if defined(FPK_NEON)
#include <arm_neon.h>

#include "vector_draws.h"

namespace {

using V = uint32x4_t;

// Upper and lower halves of four products.
struct Product {
    V high, low;
};

FPK_INLINE Product multiply(V a, V b) {
    const V left = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
    const V right = vreinterpretq_u32_u64(vmull_high_u32(a, b));
    return {vuzp2q_u32(left, right), vuzp1q_u32(left, right)};
}

FPK_INLINE V bit_xor(V a, V b) { return veorq_u32(a, b); }
FPK_INLINE V bit_xor(V a, V b, V c) { return bit_xor(a, bit_xor(b, c)); }

constexpr int STATES = 4;  // vectors of four blocks that are advanced together

// Each lane is a block; the first rounds are as philox.h says.
void words(uint32_t* out, uint64_t block, uint32_t count, const Rounds& rounds) {
    static const uint32_t ORDER[4] = {0, 1, 2, 3};
    const V by_a = vdupq_n_u32(PHILOX_A), by_c = vdupq_n_u32(PHILOX_C), order = vld1q_u32(ORDER);
    for (uint32_t done = 0; done < count; done += 4 * STATES) {
        V a[STATES], b[STATES], c[STATES], d[STATES];
        for (int i = 0; i < STATES; i++) {
            const uint32_t number = static_cast<uint32_t>(block) + done + 4 * i;
            const Product p = multiply(vaddq_u32(vdupq_n_u32(number), order), by_a);
            const Product q = multiply(bit_xor(p.high, vdupq_n_u32(rounds.first)), by_c);
            const V a2 = bit_xor(q.high, vdupq_n_u32(rounds.second_a));
            const V c2 = bit_xor(p.low, vdupq_n_u32(rounds.second_c));
            const Product p3 = multiply(a2, by_a), q3 = multiply(c2, by_c);
            a[i] = bit_xor(q3.high, q.low, vdupq_n_u32(rounds.key_a[2]));
            b[i] = q3.low;
            c[i] = bit_xor(p3.high, vdupq_n_u32(rounds.third));
            d[i] = p3.low;
        }
        for (int round = 3; round < 10; round++) {
            const V key_a = vdupq_n_u32(rounds.key_a[round]);
            const V key_c = vdupq_n_u32(rounds.key_c[round]);
            for (int i = 0; i < STATES; i++) {
                const Product p = multiply(a[i], by_a), q = multiply(c[i], by_c);
                a[i] = bit_xor(q.high, b[i], key_a);
                b[i] = q.low;
                c[i] = bit_xor(p.high, d[i], key_c);
                d[i] = p.low;
            }
        }
        for (int i = 0; i < STATES; i++)
            vst4q_u32(out + 4 * (done + 4 * i), uint32x4x4_t{{a[i], b[i], c[i], d[i]}});
    }
}

struct Lanes {
    using V = uint32x4_t;
    using Factor = V;
    static constexpr int LANES = 4, UNROLL = 4;

    struct Table {};

    static FPK_INLINE V load(const uint32_t* from) { return vld1q_u32(from); }
    static FPK_INLINE V set(uint32_t x) { return vdupq_n_u32(x); }
    static FPK_INLINE V bit_or(V a, V b) { return vorrq_u32(a, b); }
    static FPK_INLINE V bit_and(V a, V b) { return vandq_u32(a, b); }
    static FPK_INLINE V bit_xor(V a, V b) { return veorq_u32(a, b); }
    static FPK_INLINE V add(V a, V b) { return vaddq_u32(a, b); }
    static FPK_INLINE V sub(V a, V b) { return vsubq_u32(a, b); }
    static FPK_INLINE V shift_right8(V v) { return vshrq_n_u32(v, 8); }
    static FPK_INLINE V shift_right_signed7(V v) {
        return vreinterpretq_u32_s32(vshrq_n_s32(vreinterpretq_s32_u32(v), 7));
    }
    static FPK_INLINE V shift_left_by(V v, V by) {
        return vshlq_u32(v, vreinterpretq_s32_u32(by));
    }
    static FPK_INLINE V leading_zeros(V v) { return vclzq_u32(v); }

    static FPK_INLINE Factor factor(V v) { return v; }
    static FPK_INLINE V mulhi(V a, Factor b) {
        const V left = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
        const V right = vreinterpretq_u32_u64(vmull_high_u32(a, b));
        return vuzp2q_u32(left, right);
    }

    static FPK_INLINE bool all_near(const V*) { return true; }

    static FPK_INLINE uint8x16x4_t load64(const uint8_t* from) {
        return {{vld1q_u8(from), vld1q_u8(from + 16), vld1q_u8(from + 32), vld1q_u8(from + 48)}};
    }

    // A row is 128 bytes, two tables of 64; bytes 4 e to 4 e + 3 of it are the number.
    template <bool NEAR>
    static FPK_INLINE V look(const Table&, int row, V octave) {
        const uint8_t* bytes = reinterpret_cast<const uint8_t*>(NORMAL[row]);
        const V place = vmlaq_u32(set(0x03020100u), octave, set(0x04040404u));
        const uint8x16_t index = vreinterpretq_u8_u32(place);
        const uint8x16_t low = vqtbl4q_u8(load64(bytes), index);
        const uint8x16_t beyond = vsubq_u8(index, vdupq_n_u8(64));
        return vreinterpretq_u32_u8(vqtbx4q_u8(low, load64(bytes + 64), beyond));
    }

    static FPK_INLINE V negate_if_odd(V m, V word) {
        const V minus = negate(bit_and(word, set(1)));
        return sub(bit_xor(m, minus), minus);
    }
    static FPK_INLINE V negate(V v) { return sub(set(0), v); }

    static FPK_INLINE float32x4_t set_scale(float factor) { return vdupq_n_f32(factor); }

    template <uint32_t DTYPE>
    static FPK_INLINE void store(unsigned char* out, const V* k, float32x4_t scale) {
        for (int i = 0; i < UNROLL; i++) {
            const float32x4_t x = vmulq_f32(vcvtq_f32_s32(vreinterpretq_s32_u32(k[i])), scale);
            if (DTYPE == FLOAT32) {
                vst1q_u8(out + 16 * i, vreinterpretq_u8_f32(x));
            } else if (DTYPE == FLOAT64) {
                const float64x2_t low = vcvt_f64_f32(vget_low_f32(x)), high = vcvt_high_f64_f32(x);
                vst1q_u8(out + 32 * i, vreinterpretq_u8_f64(low));
                vst1q_u8(out + 32 * i + 16, vreinterpretq_u8_f64(high));
            } else if (DTYPE == FLOAT16) {
                vst1_u8(out + 8 * i, vreinterpret_u8_u16(to_float16(x)));
            } else {
                vst1_u8(out + 8 * i, vreinterpret_u8_u16(to_bfloat16(vreinterpretq_u32_f32(x))));
            }
        }
    }

    static FPK_INLINE uint16x4_t to_bfloat16(V x) {
        const V odd = bit_and(vshrq_n_u32(x, 16), set(1));
        return vshrn_n_u32(add(add(x, set(0x7FFF)), odd), 16);
    }

    // On integers, as in narrow.h: the instruction for it obeys the mode that flushes subnormals.
    static FPK_INLINE uint16x4_t to_float16(float32x4_t value) {
        const V x = vreinterpretq_u32_f32(value);
        const V size = bit_and(x, set(0x7FFFFFFFu));
        const V small = vcltq_u32(size, set(0x38800000u));
        const V down = vminq_u32(sub(set(126), vshrq_n_u32(size, 23)), set(31));
        const V shift = vbslq_u32(small, down, set(13));
        const V significand = bit_or(bit_and(size, set(0x7FFFFFu)), set(0x800000u));
        const V body = vbslq_u32(small, significand, sub(size, set(0x38000000u)));
        const int32x4_t right = vreinterpretq_s32_u32(negate(shift));
        const V odd = bit_and(vshlq_u32(body, right), set(1));
        const V half = sub(shift_left_by(set(1), sub(shift, set(1))), set(1));
        const V rounded = vshlq_u32(add(add(body, half), odd), right);
        const V infinite = vcgeq_u32(size, set(0x47800000u));
        const V sign = bit_and(vshrq_n_u32(x, 16), set(0x8000));
        return vmovn_u32(bit_or(vbslq_u32(infinite, set(0x7C00), rounded), sign));
    }
};

uint64_t sum(const unsigned char* tile, const uint32_t* keys) {
    uint64x2_t total[2] = {vdupq_n_u64(0), vdupq_n_u64(0)};
    for (uint32_t i = 0; i < DIGEST_TILE; i += 32)
        for (int j = 0; j < 2; j++) {
            const V d = vreinterpretq_u32_u8(vld1q_u8(tile + i + 16 * j));
            const V x = vaddq_u32(d, vld1q_u32(keys + (i + 16 * j) / 4));
            const uint64x2_t pairs = vreinterpretq_u64_u32(x);
            total[j] = vaddq_u64(total[j], vreinterpretq_u64_u32(d));
            total[j] = vmlal_u32(total[j], vmovn_u64(pairs), vshrn_n_u64(pairs, 32));
        }
    return vaddvq_u64(vaddq_u64(total[0], total[1]));
}

uint64_t sum_and_copy(const unsigned char* tile, const uint32_t* keys, unsigned char* out) {
    std::memcpy(out, tile, DIGEST_TILE);
    return sum(tile, keys);
}

}  // namespace

// Signs are set by plain loops, which compilers turn into this code.
const Kernels NEON_KERNELS = {words, Draws<Lanes>::draw, PORTABLE_KERNELS.signs, sum,
                              sum_and_copy};

#endif
