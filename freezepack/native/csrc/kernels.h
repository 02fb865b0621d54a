// The loops that do the work, compiled once for each instruction set.
#ifndef FREEZEPACK_KERNELS_H
#define FREEZEPACK_KERNELS_H

#include "philox.h"

enum DrawId : uint32_t { CONSTANT = 0, UNIFORM = 1, NORMAL_DRAW = 2, TRUNCATED = 3, SIGN = 4 };
enum DTypeId : uint32_t { FLOAT32 = 1, FLOAT16 = 2, BFLOAT16 = 3, FLOAT64 = 4 };

constexpr uint32_t TILE = 1024;         // most words that are made and drawn from at a time
constexpr uint32_t BLOCKS = 64;         // made together: `words` writes whole multiples of them
constexpr uint32_t GROUP = 64;          // words read together: `draw` reads whole multiples of them
constexpr uint32_t DIGEST_TILE = 4096;  // bytes

// What `draw` makes of words: value = k * factor, as elements of `dtype`.
struct Recipe {
    uint32_t draw, dtype;
    float factor;
    uint32_t tail;  // of a truncated normal
};

struct Kernels {
    // Words of `count` blocks from number `block` on; the number's upper half is rounds.high.
    void (*words)(uint32_t* out, uint64_t block, uint32_t count, const Rounds& rounds);
    // `count` elements of UNIFORM, NORMAL or TRUNCATED.
    void (*draw)(void* out, const uint32_t* words, uint32_t count, const Recipe& recipe);
    // 32 elements for each of `count` words: `value`, with the sign that the element's bit says.
    void (*signs)(void* out, const uint32_t* words, uint32_t count, uint32_t itemsize,
                  uint64_t value);
    // The sum H of one tile of the digest; `keys` are the words that the specification names.
    uint64_t (*sum)(const unsigned char* tile, const uint32_t* keys);
    // The same, and a copy of the tile to `out`.
    uint64_t (*sum_and_copy)(const unsigned char* tile, const uint32_t* keys, unsigned char* out);
};

// The one in use; see isa.cpp.
const Kernels& kernels();

extern const Kernels PORTABLE_KERNELS;

#if defined(__x86_64__) && defined(__GNUC__)
#define FPK_X86 1
extern const Kernels AVX2_KERNELS, AVX512_KERNELS;
#if __GNUC__ >= 10 || defined(__clang__)
#define FPK_AVX512_BF16 1
extern const Kernels AVX512_BF16_KERNELS;
#endif
#endif

#if defined(__aarch64__) && defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FPK_NEON 1
extern const Kernels NEON_KERNELS;
#endif

// Compile what stands between the two for processors that have `features`. Standard headers come
// before: their inline functions must not be compiled so, for the linker keeps one copy of each.
#if defined(__clang__)
#define FPK_PRAGMA(text) _Pragma(#text)
#define FPK_TARGET_BEGIN(features) \
    FPK_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define FPK_TARGET_END _Pragma("clang attribute pop")
#elif defined(__GNUC__)
#define FPK_PRAGMA(text) _Pragma(#text)
// Before registers are given out, GCC does not order instructions on x86 by itself: the loops of
// AVX-512 gain 2 to 4 %.
#define FPK_TARGET_BEGIN(features)                                  \
    _Pragma("GCC push_options") FPK_PRAGMA(GCC target(features))    \
        FPK_PRAGMA(GCC optimize("schedule-insns", "sched-pressure"))
#define FPK_TARGET_END _Pragma("GCC pop_options")
#endif

#if defined(__GNUC__)
#define FPK_INLINE inline __attribute__((always_inline))
#define FPK_INLINE_LAMBDA __attribute__((always_inline))
#define FPK_UNROLL _Pragma("GCC unroll 16")
#endif

#endif
