// Levels, effects and the bias of the index codec `probit`: formats/probit.md, sections 3 to 5.
#ifndef FREEZEPACK_PROBIT_MODEL_H
#define FREEZEPACK_PROBIT_MODEL_H

#include <algorithm>

#include "adaptive.h"
#include "probit_tables.h"

namespace fpk {

// The two preset bytes; variances in 2^-24.
struct ProbitPreset {
    uint32_t noise, row, place, cell, column, group, width;

    explicit ProbitPreset(uint32_t first, uint32_t second) {
        constexpr uint32_t columns[8] = {0,       3u << 14, 3u << 16, 3u << 18,
                                         3u << 19, 3u << 20, 3u << 22, 3u << 23};
        constexpr uint32_t groups[8] = {0,       3u << 14, 3u << 16, 3u << 18,
                                        3u << 19, 3u << 20, 3u << 21, 3u << 22};
        constexpr uint32_t places[4] = {0, 3u << 15, 3u << 18, 3u << 21};
        constexpr uint32_t cells[4] = {0, 3u << 18, 3u << 20, 3u << 21};
        constexpr uint32_t widths[4] = {16, 28, 32, 49};
        noise = 3u << (19 + (first >> 6));
        row = 3u << (19 + (first >> 4 & 3));
        place = places[first >> 2 & 3];
        cell = cells[first & 3];
        column = columns[second >> 5];
        group = groups[second >> 2 & 7];
        width = widths[second & 3];
    }

    uint64_t variance() const {
        return uint64_t{noise} + kBias + row + column + group + place + cell;
    }

    static constexpr uint32_t kBias = 3u << 15;
};

// What one row, column, group, place or cell adds: mean in 2^-16, variance in 2^-24.
struct Effect {
    int32_t mean = 0;
    uint32_t variance = 0;

    // `pull` and `loss` are in 2^-16.
    void update(int64_t pull, int64_t loss) {
        constexpr int64_t kMost = 1 << 23;
        const int64_t v = variance;
        mean = static_cast<int32_t>(clamp<int64_t>(mean + (v * pull >> 24), -kMost, kMost));
        variance = static_cast<uint32_t>(v - (v * (v * loss >> 16) >> 24));
    }
};

// 2^16 / sqrt(variance); 3 * 2^19 <= variance < 2^27.
inline int64_t inverse_deviation(uint64_t variance) {
    const int32_t half = 28 * 512 - log2_fixed(variance), down = 16 - (half >> 9);
    const int64_t mantissa = kProbitExp2[half >> 1 & 255];
    return down >= 0 ? mantissa >> down : mantissa << -down;
}

constexpr int32_t kEdge = 4607;  // of t, in 1/1024

// t of a sum x in 2^-16.
inline int32_t standardize(int64_t x, int64_t inverse) {
    return static_cast<int32_t>(clamp<int64_t>(x * inverse >> 22, -kEdge, kEdge));
}

inline int32_t look_up(const int32_t* table, int32_t t) {
    const int32_t y = t + 4608, i = y >> 5, f = y & 31;
    return (table[i] * (32 - f) + table[i + 1] * f) >> 5;
}

// log2 of |base| in 1/256, below that of the largest: 0 or negative.
class Levels {
  public:
    Levels(const uint32_t* base, size_t size) : size_(size), level_(size) {
        if (!ok()) return;
        int32_t* level = level_.get();
        int32_t largest = 0;
        for (size_t i = 0; i < size; ++i) {
            const uint32_t magnitude = base[i] & 0x7fffffff;
            level[i] = static_cast<int32_t>((magnitude >> 23 << 8) + kLog2[magnitude >> 15 & 255]);
            largest = std::max(largest, level[i]);
        }
        for (size_t i = 0; i < size; ++i) level[i] -= largest;
    }

    bool ok() const { return level_.ok(); }
    const int32_t* from(size_t first) const { return &level_[first]; }

    // The bias at which about `trained` positions are expected before anything is learned.
    int32_t find_bias(uint32_t trained, uint64_t variance) const {
        uint64_t count[256] = {};
        for (size_t i = 0; i < size_; ++i) ++count[std::min(255, -level_[i] >> 4)];
        const int64_t inverse = inverse_deviation(variance);
        int32_t low = -(1 << 21), high = 1 << 21;
        while (high - low > 256) {
            const int32_t middle = (low + high) >> 1;
            uint64_t expected = 0;
            for (int d = 0; d < 255; ++d) {
                const int32_t t = standardize(middle - (16 * d + 8) * 256, inverse);
                expected += count[d] * static_cast<uint64_t>(squash(look_up(kProbitLogit, t)));
            }
            (expected > uint64_t{trained} << 22 ? high : low) = middle;
        }
        return low;
    }

  private:
    const size_t size_;
    Array<int32_t> level_;
};

}  // namespace fpk

#endif
