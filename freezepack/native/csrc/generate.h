// Bases drawn into memory; see generate.cpp.
#ifndef FREEZEPACK_GENERATE_H
#define FREEZEPACK_GENERATE_H

#include "kernels.h"

// Returns how far behind `from` to begin, 0 to 4,032 and a multiple of 64, so as to be half a page
// apart from `out` modulo 4 KiB. Processors look at the lower twelve bits of addresses to see
// whether a load must wait for a store, so that reading one place while writing another at the same
// offset in a page takes up to half as long again.
inline size_t half_page_apart(const void* from, const void* out) {
    return (reinterpret_cast<uintptr_t>(out) + 2048 - reinterpret_cast<uintptr_t>(from)) & 4032;
}

// A stream's words, tile by tile.
class Words {
public:
    explicit Words(Stream stream)
        : kernels_(kernels()), stream_(stream), rounds_(prepare_rounds(stream, 0)), words_(buffer_) {}

    // Returns words `start` to `start + count - 1`, all in one tile of TILE words, until the next
    // call; more may be read behind them, up to a multiple of GROUP.
    const uint32_t* make(uint64_t start, uint32_t count);

    // Puts the words half a page apart from `out`.
    void keep_apart(const void* out);

private:
    const Kernels& kernels_;
    Stream stream_;
    Rounds rounds_;
    uint32_t* words_;
    alignas(64) uint32_t buffer_[2 * TILE + GROUP];
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
