// Sums of the digest's tiles; see digest.cpp.
#ifndef FREEZEPACK_DIGEST_H
#define FREEZEPACK_DIGEST_H

#include "common.h"

// Sums the tiles of `size` bytes; the first of them is tile number `first`. `keys` are the 1,024
// words that the specification names; the last tile is padded with zeros. If `copy` is given, the
// bytes are written there too.
uint64_t sum_tiles(const unsigned char* data, uint64_t size, uint64_t first, const uint32_t* keys,
                   unsigned char* copy = nullptr);

#endif
