// Bases drawn into memory; see generate.cpp.
#ifndef FREEZEPACK_GENERATE_H
#define FREEZEPACK_GENERATE_H

#include "common.h"

struct Stream {
    uint64_t key, id;
};

// Elements `start` to `start + count - 1` of a base into `out`. `bits` is the float32 pattern of the
// factor, `tail` that of a truncated normal. 1 is an unknown draw, 2 an element type.
int32_t fill(void* out, uint64_t start, uint64_t count, Stream stream, uint32_t draw,
             uint32_t dtype, uint32_t bits, uint32_t tail);

#endif
