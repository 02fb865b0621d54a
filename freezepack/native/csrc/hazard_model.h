// The adaptive rates and the mixer of the index codec `hazard`: formats/hazard.md, sections 6 to 9.
#ifndef FREEZEPACK_HAZARD_MODEL_H
#define FREEZEPACK_HAZARD_MODEL_H

#include <algorithm>

#include "adaptive.h"

namespace fpk {

constexpr int32_t kOne = 3072;  // log2_fixed(4096): row, column and group factors are in 2^-12

struct Layout {
    uint32_t rows, columns, kernel, trained;

    uint64_t size() const { return uint64_t{rows} * columns; }
    uint32_t group_width() const { return kernel >= 2 && kernel <= 64 ? kernel : 8; }
    uint32_t groups() const { return (columns + group_width() - 1) / group_width(); }
    uint32_t superblock_width() const {
        const uint64_t width = group_width(), covered = 3 * width * trained;
        return static_cast<uint32_t>(width * clamp<uint64_t>(2 * size() / covered, 2, 32));
    }
};

struct Preset {
    uint32_t slope, row_prior, column_prior, group_prior;
    bool flat;

    explicit Preset(uint8_t byte) {
        constexpr uint32_t strengths[8] = {1, 2, 4, 8, 16, 64, 256, 4096};
        slope = 8u * (byte >> 6);
        row_prior = strengths[byte >> 3 & 7];
        column_prior = strengths[byte & 7];
        group_prior = column_prior == 4096 ? 4096 : 16;
        flat = byte == 63;
    }
};

// Rates by level of |base|, in 2^-24 events.
class LevelRates {
  public:
    LevelRates(const uint32_t* base, const Layout& layout, uint32_t slope)
        : layout_(layout), slope_(slope), level_(layout.size()) {
        if (!ok()) return;
        rank(base);
        uint64_t share[64], total = 0;
        for (uint32_t l = 0; l < 64; ++l) {
            const uint32_t drop = slope * l, octaves = std::min(20u, drop >> 6);
            share[l] = std::max(1u, ((1u << 20) - 8192 * (drop & 63)) >> octaves);
            total += count_[l] * share[l];
        }
        const uint64_t size = std::max<uint64_t>(1, total >> 20);
        const uint64_t scale = std::min((uint64_t{layout.trained} << 24) / size, uint64_t{1} << 40);
        for (int l = 0; l < 64; ++l) {
            prior_[l] = clamp<uint64_t>(share[l] * scale >> 20, 1, 1u << 24);
            prior_met_[l] = (kPriorEvents << 24) / prior_[l];
            for (int d = -2; d <= 2; ++d)
                if (l + d >= 0 && l + d < 64) near_[l] += count_[l + d] * kSpread[d + 2];
        }
        refresh(0);
    }

    bool ok() const { return level_.ok(); }
    const uint8_t* row(uint32_t row) const { return &level_[size_t{row} * layout_.columns]; }
    const uint32_t* rates() const { return rate_; }

    void add(uint32_t level, uint32_t weight) {
        for (int d = -2; d <= 2; ++d) {
            const int l = static_cast<int>(level) + d;
            if (l >= 0 && l < 64) seen_[l] += weight * kSpread[d + 2];
        }
    }

    void refresh(uint32_t rows_done) {
        for (int l = 0; l < 64; ++l) {
            uint64_t rate = prior_[l];
            if (slope_ != 0) {
                const uint64_t met = quotient(near_[l] * rows_done, layout_.rows);
                const uint64_t events = ((seen_[l] >> 4) + kPriorEvents) << 24;
                rate = quotient(events, met + prior_met_[l]);
            }
            rate_[l] = static_cast<uint32_t>(clamp<uint64_t>(rate, 1, 3u << 22));
        }
    }

  private:
    static constexpr uint64_t kSpread[5] = {1, 4, 6, 4, 1}, kPriorEvents = 32;

    void rank(const uint32_t* base) {
        constexpr uint32_t kMagnitude = 0x7fffffff;
        const size_t size = layout_.size();
        uint8_t* level = level_.get();
        uint32_t largest = 0;
        for (size_t i = 0; i < size; ++i) largest = std::max(largest, base[i] & kMagnitude);
        largest >>= 20;
        for (size_t i = 0; i < size; ++i) {
            const uint32_t below = largest - ((base[i] & kMagnitude) >> 20);
            level[i] = static_cast<uint8_t>(std::min(63u, below));
        }
        // Neighbours often share a level: with four tables no count waits for the one before.
        uint64_t count[4][64] = {};
        for (size_t i = 0; i < size; ++i) ++count[i & 3][level[i]];
        for (int l = 0; l < 64; ++l) count_[l] = count[0][l] + count[1][l] + count[2][l] + count[3][l];
    }

    const Layout layout_;
    const uint32_t slope_;
    Array<uint8_t> level_;
    uint64_t count_[64] = {}, prior_[64] = {}, prior_met_[64] = {};
    uint64_t near_[64] = {}, seen_[64] = {};
    uint32_t rate_[64] = {};
};

// Factors of columns and of groups of columns, in 2^-12.
class ColumnFactors {
  public:
    ColumnFactors(const Layout& layout, const Preset& preset)
        : layout_(layout), preset_(preset), factor_(layout.columns),
          group_log_(layout.groups()), events_(layout.columns), expected_(layout.columns),
          waiting_(layout.columns), touched_(layout.groups()) {
        if (ok()) std::fill_n(factor_.get(), layout.columns, 4096u);
    }

    bool ok() const {
        return factor_.ok() && group_log_.ok() && events_.ok() && expected_.ok() &&
               waiting_.ok() && touched_.ok();
    }
    const uint32_t* factors() const { return factor_.get(); }
    int32_t log(uint32_t column) const { return log2_fixed(factor_[column]) - kOne; }
    int32_t group_log(uint32_t group) const { return group_log_[group]; }
    void touch(uint32_t group) const { touched_[group] = 1; }
    void add(uint32_t column, uint32_t weight) const { events_[column] += weight; }

    // `pull` holds the row's level rates, without column factors.
    void finish_row(uint32_t row, const uint32_t* pull, uint64_t row_factor) {
        uint32_t* waiting = waiting_.get();
        for (uint32_t j = 0; j < layout_.columns; ++j)
            waiting[j] += static_cast<uint32_t>(pull[j] * row_factor >> 20);
        const uint32_t period = clamp<uint32_t>(layout_.rows / 16, 1, 8), turn = row % period;
        for (uint32_t group = 0, phase = 0; group < layout_.groups(); ++group) {
            if (row < 8 || touched_[group] || phase == turn) refresh(group);
            if (++phase == period) phase = 0;
        }
    }

  private:
    void refresh(uint32_t group) {
        touched_[group] = 0;
        const uint32_t width = layout_.group_width();
        const uint32_t from = group * width, to = std::min(layout_.columns, from + width);
        uint64_t events = 0, expected = 0;
        for (uint32_t j = from; j < to; ++j) {
            expected_[j] += waiting_[j];
            waiting_[j] = 0;
            events += events_[j];
            expected += expected_[j];
        }
        const uint64_t strength = uint64_t{preset_.group_prior} << 13;
        const uint64_t ratio = quotient(((events << 12) + strength) << 12, expected + strength);
        const uint64_t shared = clamp<uint64_t>(ratio, 16, 1 << 18);
        group_log_[group] = log2_fixed(shared) - kOne;
        const uint64_t prior = uint64_t{preset_.column_prior} << 13;
        for (uint32_t j = from; j < to; ++j) {
            const uint64_t own = quotient((events_[j] << 24) + prior * shared, expected_[j] + prior);
            factor_[j] = static_cast<uint32_t>(clamp<uint64_t>(own, 32, 1 << 19));
        }
    }

    const Layout layout_;
    const Preset preset_;
    Array<uint32_t> factor_;
    Array<int32_t> group_log_;
    Array<uint64_t> events_, expected_;
    Array<uint32_t> waiting_;
    Array<uint8_t> touched_;
};

// The factor of the row that is being coded, in 2^-12.
struct RowFactor {
    uint64_t events = 0, expected = 0, factor = 4096;
    int32_t log = 0;

    void refresh(uint32_t strength) {
        const uint64_t prior = uint64_t{strength} << 21;
        const uint64_t ratio = (((events << 20) + prior) << 12) / (expected + prior);
        factor = clamp<uint64_t>(ratio, 64, 1 << 18);
        log = log2_fixed(factor) - kOne;
    }
    uint64_t scale(uint64_t rate) const { return rate * factor >> 12; }
};

// A learned offset of the mixer.
struct Offset {
    int32_t value = 0;
    uint64_t weight = 0;

    void update(int32_t error, int32_t chance) {
        const int64_t gain = static_cast<int64_t>((uint64_t{1} << 40) / ((48u << 18) + weight));
        const int64_t moved = value + (error * gain >> 16);
        value = static_cast<int32_t>(clamp<int64_t>(moved, -(1 << 28), 1 << 28));
        weight += static_cast<uint64_t>(int64_t{chance} * ((1 << 22) - chance) >> 22);
    }
};

// The logistic mixer of one context.
struct Mixer {
    int32_t weight[6] = {0, 1 << 16, 0, 0, 0, 0};

    int64_t dot(const int32_t* x) const {
        int64_t sum = 0;
        for (int i = 0; i < 6; ++i) sum += int64_t{weight[i]} * x[i];
        return sum;
    }
    void update(const int32_t* x, int32_t error) {
        for (int i = 0; i < 6; ++i) {
            const int32_t step = static_cast<int32_t>(int64_t{error} * x[i] >> 20);
            weight[i] = clamp(weight[i] + step, -(1 << 20), 1 << 20);
        }
    }
};

}  // namespace fpk

#endif
