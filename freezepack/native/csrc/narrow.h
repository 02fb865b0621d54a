// float32 patterns as other float types, on integers (formats/generators.md, section 7): what the
// processor does with subnormal numbers must not matter.
#ifndef FREEZEPACK_NARROW_H
#define FREEZEPACK_NARROW_H

#include "common.h"

inline uint32_t leading_zeros(uint32_t v) {  // v is not 0
#if defined(__GNUC__)
    return static_cast<uint32_t>(__builtin_clz(v));
#else
    uint32_t count = 0;
    while (!(v & 0x80000000u)) {
        v <<= 1;
        count++;
    }
    return count;
#endif
}

inline uint16_t to_bfloat16(uint32_t x) {
    return static_cast<uint16_t>((x + 0x7FFFu + ((x >> 16) & 1u)) >> 16);
}

inline uint16_t to_float16(uint32_t x) {
    const uint32_t sign = (x >> 16) & 0x8000u;
    const uint32_t size = x & 0x7FFFFFFFu;
    uint32_t shift = 13, body = size - 0x38000000u;
    if (size < 0x38800000u) {  // below 2^-14: subnormal, in units of 2^-24
        const uint32_t down = 126u - (size >> 23);
        shift = down < 31u ? down : 31u;
        body = (size & 0x7FFFFFu) | 0x800000u;
    }
    uint32_t y = (body + (1u << (shift - 1)) - 1u + ((body >> shift) & 1u)) >> shift;
    if (size >= 0x47800000u) y = 0x7C00u;
    return static_cast<uint16_t>(y | sign);
}

inline uint64_t to_float64(uint32_t x) {
    const uint64_t sign = static_cast<uint64_t>(x & 0x80000000u) << 32;
    const uint64_t size = x & 0x7FFFFFFFu;
    if (size == 0) return sign;
    if (size >= 0x800000u) return sign | ((size << 29) + (UINT64_C(896) << 52));
    const uint32_t top = 31 - leading_zeros(static_cast<uint32_t>(size));
    const uint64_t fraction = (size << (52 - top)) & ((UINT64_C(1) << 52) - 1);
    return sign | (static_cast<uint64_t>(top + 1023 - 149) << 52) | fraction;
}

#endif
