// Philox4x32-10 (formats/generators.md, section 2): what its rounds need besides the block number.
#ifndef FREEZEPACK_PHILOX_H
#define FREEZEPACK_PHILOX_H

#include "common.h"

constexpr uint32_t PHILOX_A = 0xD2511F53u;  // multiplies the first word of a counter
constexpr uint32_t PHILOX_C = 0xCD9E8D57u;  // multiplies the third

struct Stream {
    uint64_t key, id;
};

// A round turns the words a, b, c, d of a counter into
//     hi(C*c) ^ b ^ key_a,  lo(C*c),  hi(A*a) ^ d ^ key_c,  lo(A*a).
// In a run of blocks only `a` varies at first, so that three of the first six products are the same
// for all. What they leave to do is in `first`, `second_a`, `second_c` and `third`:
//     p = A*a;         c1 = hi(p) ^ first
//     q = C*c1;        a2 = hi(q) ^ second_a,  b2 = lo(q),  c2 = lo(p) ^ second_c
//     p = A*a2;        c3 = hi(p) ^ third,     d3 = lo(p)
//     q = C*c2;        a3 = hi(q) ^ b2 ^ key_a[2],  b3 = lo(q)
// and rounds 3 to 9 (counted from 0) follow the rule.
struct Rounds {
    uint32_t high;  // the upper half of the block number
    uint32_t first, second_a, second_c, third;
    uint32_t key_a[10], key_c[10];
};

inline Rounds prepare_rounds(Stream stream, uint32_t high) {
    Rounds rounds;
    uint32_t key_a = static_cast<uint32_t>(stream.key);
    uint32_t key_c = static_cast<uint32_t>(stream.key >> 32);
    for (int i = 0; i < 10; i++) {
        rounds.key_a[i] = key_a;
        rounds.key_c[i] = key_c;
        key_a += 0x9E3779B9u;
        key_c += 0xBB67AE85u;
    }
    const uint64_t q = PHILOX_C * (stream.id & 0xFFFFFFFFu);
    const uint32_t a1 = static_cast<uint32_t>(q >> 32) ^ high ^ rounds.key_a[0];
    const uint64_t p = PHILOX_A * static_cast<uint64_t>(a1);
    rounds.high = high;
    rounds.first = static_cast<uint32_t>(stream.id >> 32) ^ rounds.key_c[0];
    rounds.second_a = static_cast<uint32_t>(q) ^ rounds.key_a[1];
    rounds.second_c = static_cast<uint32_t>(p >> 32) ^ rounds.key_c[1];
    rounds.third = static_cast<uint32_t>(p) ^ rounds.key_c[2];
    return rounds;
}

#endif
