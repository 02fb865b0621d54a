// Bases drawn into memory; see generate.cpp.
#ifndef FREEZEPACK_GENERATE_H
#define FREEZEPACK_GENERATE_H

#include "kernels.h"

// A stream's words, tile by tile.
class Words {
public:
    explicit Words(Stream stream)
        : kernels_(kernels()), stream_(stream), rounds_(prepare_rounds(stream, 0)) {}

    // Returns words `start` to `start + count - 1`, all in one tile of TILE words, until the next
    // call; more may be read behind them, up to a multiple of GROUP.
    const uint32_t* make(uint64_t start, uint32_t count);

private:
    const Kernels& kernels_;
    Stream stream_;
    Rounds rounds_;
    alignas(64) uint32_t buffer_[TILE + GROUP] = {};
};

// A seeded base. `bits` is the float32 pattern of the factor or value, `tail` that of a truncated
// normal.
class Base {
public:
    Base(Stream stream, uint32_t draw, uint32_t dtype, uint32_t bits, uint32_t tail);

    // 0 if the base can be made; 1 is an unknown draw, 2 an element type that cannot be drawn.
    int32_t problem() const;

    // Writes elements `start` to `start + count - 1`.
    void fill(void* out, uint64_t start, uint64_t count);

private:
    void fill_values(unsigned char* out, uint64_t start, uint64_t count);
    void fill_signs(unsigned char* out, uint64_t start, uint64_t count);

    const Kernels& kernels_;
    Recipe recipe_;
    uint32_t itemsize_;
    uint64_t value_;  // of CONSTANT and SIGN: the pattern, narrowed
    Words words_;
};

#endif
