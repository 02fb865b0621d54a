// A matrix in the codec `joint`: which rows and channels are alive, then every position in them.
// Specification: formats/joint.md, sections 6 and 7.
#ifndef FREEZEPACK_JOINT_MATRIX_H
#define FREEZEPACK_JOINT_MATRIX_H

#include <algorithm>
#include <cmath>
#include <vector>

#include "joint_model.h"

namespace fpk {

using Counts = std::vector<uint32_t>;
using Effects = std::vector<Effect>;

// A matrix of channels, each a plane of columns in lines of `width`.
struct JointGrid {
    int64_t rows, columns, plane, width;
    int64_t channels() const { return columns / plane; }
    int shape() const { return plane > 1 ? 0 : width > 1 ? 1 : 2; }
};

template <class Side>
class JointMatrix {
  public:
    // `before`: trained positions of each row of the predecessor. `base`: depths.
    // Either may be null.
    JointMatrix(Side& side, const JointGrid& grid, int32_t* levels, const int16_t* base,
                const Counts* before)
        : decider_(side), grid_(grid), prior_(kJointPriors[grid.shape()]), levels_(levels),
          base_(base), before_(before), alive_row_(size(grid.rows)),
          alive_channel_(size(grid.channels())), in_row_(size(grid.rows)),
          in_channel_(size(grid.channels())) {}

    void run(bool turned) {
        if (!Side::kReads) find_alive();
        code_rows();
        if (rows_.empty()) return;
        code_channels();
        start_effects();
        if (turned) {
            for (int64_t channel : channels_)
                for (int64_t row : rows_) code_cell(row, channel);
        } else {
            for (int64_t row : rows_)
                for (int64_t channel : channels_) code_cell(row, channel);
        }
    }

    // Trained positions of each row.
    const Counts& counts() const { return in_row_; }

    // Bits of -2, -1, 0, 1, 2 at every position, by what was learned in `run`.
    void price(float* prices) {
        std::vector<double> wake_row(size(grid_.rows)), wake_channel(size(grid_.channels()));
        for (int64_t row = 0; row < grid_.rows; ++row)
            if (!alive_row_[size(row)]) wake_row[size(row)] = kWake;
        for (int64_t channel = 0; channel < grid_.channels(); ++channel)
            if (!alive_channel_[size(channel)]) wake_channel[size(channel)] = kWake;
        if (rows_.empty()) {
            start_effects();
            std::fill(wake_channel.begin(), wake_channel.end(), 0.0);
        }
        for (int64_t row = 0; row < grid_.rows; ++row)
            for (int64_t channel = 0; channel < grid_.channels(); ++channel)
                for (int64_t i = 0; i < grid_.plane; ++i, prices += 5)
                    price_position(row, channel, i,
                                   wake_row[size(row)] + wake_channel[size(channel)], prices);
    }

  private:
    static size_t size(int64_t n) { return static_cast<size_t>(n); }

    void find_alive() {
        const int32_t* level = levels_;
        for (int64_t row = 0; row < grid_.rows; ++row) {
            for (int64_t column = 0; column < grid_.columns; ++column) {
                if (*level++ == 0) continue;
                alive_row_[size(row)] = 1;
                alive_channel_[size(column / grid_.plane)] = 1;
            }
        }
    }

    void code_rows() {
        Counter after[2] = {{prior_.row_stays, prior_.row_turns},
                            {prior_.row_turns, prior_.row_stays}};
        bool alive = true;
        for (int64_t row = 0; row < grid_.rows; ++row) {
            alive = decider_.decide(after[alive], alive_row_[size(row)]);
            alive_row_[size(row)] = alive;
            if (alive) rows_.push_back(row);
        }
    }

    void code_channels() {
        if (before_) code_channels_after();
        else code_channels_alone();
    }

    void code_channels_after() {
        Counter after[2] = {{prior_.channel_dies, 2}, {3, prior_.channel_lives}};
        for (int64_t channel = 0; channel < grid_.channels(); ++channel) {
            Counter& counter = after[(*before_)[size(channel)] > 0];
            keep_channel(channel, is_last(channel) ||
                                      decider_.decide(counter, alive_channel_[size(channel)]));
        }
    }

    // If no channel before the last lives, the last one does.
    bool is_last(int64_t channel) const {
        return channels_.empty() && channel == grid_.channels() - 1;
    }

    void keep_channel(int64_t channel, bool alive) {
        alive_channel_[size(channel)] = alive;
        if (alive) channels_.push_back(channel);
    }

    void code_channels_alone() {
        const bool image = grid_.shape() == 1;
        const int64_t w = grid_.width, distance[6] = {1, 2, w, w - 1, w + 1, 2 * w};
        Effect bias = effect(kJointChannel), near[6][3];
        for (int i = 0; i < 6; ++i)
            for (int state = 0; state < 3; ++state) near[i][state] = effect(kJointNear[i][state]);
        const int64_t lines = image ? (grid_.channels() - 1) / w + 1 : 0;
        Effects line(size(lines), effect(kJointLine));
        Effects place(size(image ? w : 0), effect(kJointLine));
        for (int64_t channel = 0; channel < grid_.channels(); ++channel) {
            if (is_last(channel)) {
                keep_channel(channel, true);
                return;
            }
            decider_.sum().add(bias);
            for (int i = 0; i < (image ? 6 : 2); ++i) {
                const int64_t from = channel - distance[i];
                decider_.sum().add(near[i][from < 0 ? 2 : alive_channel_[size(from)]]);
            }
            if (image) {
                decider_.sum().add(line[size(channel / w)]);
                decider_.sum().add(place[size(channel % w)]);
            }
            keep_channel(channel, decider_.decide(alive_channel_[size(channel)]));
        }
    }

    void start_effects() {
        const int64_t rows = grid_.rows, columns = grid_.columns, plane = grid_.plane;
        bias_ = effect(prior_.bias);
        row_.assign(size(rows), effect(prior_.row));
        channel_.assign(size(grid_.channels()), effect(prior_.channel));
        if (before_ && !channels_.empty()) start_channels();
        if (plane > 1) {
            column_.assign(size(columns), effect(prior_.column));
            cell_.assign(size(rows * grid_.channels()), effect(prior_.cell));
            place_.assign(size(plane), effect(prior_.place));
        }
        for (int n = 0; n < 3; ++n) {
            left_[n] = effect(prior_.left[n]);
            up_[n] = effect(prior_.up[n]);
            up_left_[n] = effect(prior_.up_left[n]);
            up_right_[n] = effect(prior_.up_right[n]);
            agree_[n] = effect(prior_.agree[n]);
        }
        for (Effect& pattern : pattern_) pattern = effect(prior_.pattern);
        for (int n = 0; n < 13; ++n)
            around_[n] = {prior_.around.mean * (n - 3), prior_.around.variance};
        for (int n = 0; n < 8; ++n) slope_[n] = {prior_.slope.mean * n, prior_.slope.variance};
        blur_ = effect(prior_.blur);
        for (Effect& depth : depth_) depth = effect(kJointDepth);
        fall_ = effect(kJointFall);
        side_ = effect(prior_.side);
        for (int i = 0; i < 5; ++i) signs_[i] = effect(prior_.signs[i]);
        if (columns >= kAlike) alike_.assign(size(rows * kAlike), effect(prior_.alike));
        base_side_ = effect(kJointBaseSide);
        strong_row_.assign(size(rows), effect(prior_.strong_row));
        for (int n = 0; n < 4; ++n) large_[n] = effect(prior_.large[n]);
        above_.assign(size(rows), -1);
        for (size_t i = 1; i < rows_.size(); ++i) above_[size(rows_[i])] = rows_[i - 1];
    }

    void price_position(int64_t row, int64_t channel, int64_t i, double wake, float* prices) {
        const int64_t column = channel * grid_.plane + i;
        const int64_t in_plane = grid_.plane > 1 ? i : column;
        const int64_t x = in_plane % grid_.width, y = in_plane / grid_.width;
        const int32_t* at = levels_ + row * grid_.columns + column;
        const bool flat = grid_.shape() == 2, dead = wake > 0;
        const Around around = flat || dead ? Around() : look_around(at, x, y);
        const int16_t* base = base_ ? base_ + (at - levels_) : nullptr;
        add_density(row, channel, i);
        if (!flat) add_around(around, column, x, y);
        if (base) add_depth(*base >> 1);
        const double trained = decider_.peek(calibration_);
        if (!dead) add_sign(row, column, around, base);
        const double positive = dead ? 0.5 : decider_.peek();
        for (int side = 0; side < 2; ++side) {
            magnitudes_.add_step(decider_.sum(), 0);
            add_magnitude(row, around, side == 1, 0);
            const double more = decider_.peek();
            const double bits = wake - std::log2(trained * (side ? positive : 1 - positive));
            prices[side ? 3 : 1] = static_cast<float>(bits - std::log2(1 - more));
            prices[side ? 4 : 0] = static_cast<float>(bits - std::log2(more) + kLast);
        }
        prices[2] = dead ? 0.0f : static_cast<float>(-std::log2(1 - trained));
    }

    // Channels start by how much is trained in the rows that feed them.
    void start_channels() {
        int64_t total = 0;
        for (int64_t channel : channels_) total += fed(channel);
        const int64_t mean = total / static_cast<int64_t>(channels_.size());
        for (int64_t channel : channels_)
            channel_[size(channel)].mean =
                static_cast<int32_t>((fed(channel) - mean) * prior_.fed);
    }

    int64_t fed(int64_t channel) const {
        return log2_fixed(uint64_t{1} + (*before_)[size(channel)]);
    }

    void code_cell(int64_t row, int64_t channel) {
        for (int64_t i = 0; i < grid_.plane; ++i) code_position(row, channel, i);
    }

    // The levels around a position that are already known; 0 outside the plane.
    struct Around {
        int32_t left = 0, up = 0, up_left = 0, up_right = 0, left2 = 0, up2 = 0;
        int count = 0;  // of those up to two lines or places away
    };

    Around look_around(const int32_t* at, int64_t x, int64_t y) const {
        const int64_t w = grid_.width;
        const auto get = [=](int64_t dx, int64_t dy) {
            return x + dx < 0 || x + dx >= w || dy > y ? 0 : at[dx - dy * w];
        };
        Around around{get(-1, 0), get(0, 1), get(-1, 1), get(1, 1), get(-2, 0), get(0, 2)};
        for (int dy = 0; dy <= 2; ++dy)
            for (int dx = -2; dx <= 2 && (dy > 0 || dx < 0); ++dx) around.count += get(dx, dy) != 0;
        return around;
    }

    void code_position(int64_t row, int64_t channel, int64_t i) {
        const int64_t column = channel * grid_.plane + i;
        const int64_t in_plane = grid_.plane > 1 ? i : column;
        const int64_t x = in_plane % grid_.width, y = in_plane / grid_.width;
        int32_t* at = levels_ + row * grid_.columns + column;
        const bool flat = grid_.shape() == 2;
        const Around around = flat ? Around() : look_around(at, x, y);
        const int16_t* base = base_ ? base_ + (at - levels_) : nullptr;
        if (!is_forced(row, channel, i)) {
            add_density(row, channel, i);
            if (!flat) add_around(around, column, x, y);
            if (base) add_depth(*base >> 1);
            if (!decider_.decide(calibration_, *at != 0)) {
                if (Side::kReads) *at = 0;
                return;
            }
        }
        ++in_row_[size(row)];
        ++in_channel_[size(channel)];
        add_sign(row, column, around, base);
        const bool positive = decider_.decide(*at > 0);
        const auto add = [&](int k) { add_magnitude(row, around, positive, k); };
        const int32_t magnitude = magnitudes_.code(decider_, std::abs(*at), add);
        if (Side::kReads) *at = positive ? magnitude : -magnitude;
    }

    // A row or channel that is alive has a trained position: if none came, the last one is.
    bool is_forced(int64_t row, int64_t channel, int64_t i) const {
        if (i < grid_.plane - 1) return false;
        return (in_row_[size(row)] == 0 && channel == channels_.back()) ||
               (in_channel_[size(channel)] == 0 && row == rows_.back());
    }

    void add_density(int64_t row, int64_t channel, int64_t i) {
        Sum& sum = decider_.sum();
        sum.add(bias_);
        sum.add(row_[size(row)]);
        sum.add(channel_[size(channel)]);
        if (grid_.plane == 1) return;
        sum.add(column_[size(channel * grid_.plane + i)]);
        sum.add(cell_[size(row * grid_.channels() + channel)]);
        sum.add(place_[size(i)]);
    }

    // `depth`: in 1/256 octave below the largest |base|, at most 1535.
    void add_depth(int depth) {
        decider_.sum().add(depth_[depth / 128]);
        decider_.sum().add(fall_, (384 - depth) * 128);
    }

    static int upto2(int32_t q) { return std::min(std::abs(q), 2); }
    static int32_t within2(int32_t q) { return clamp(q, -2, 2); }

    void add_around(const Around& a, int64_t column, int64_t x, int64_t y) {
        Sum& sum = decider_.sum();
        const int left = upto2(a.left), up = upto2(a.up), up_right = upto2(a.up_right);
        sum.add(left_[left]);
        sum.add(up_[up]);
        sum.add(up_right_[up_right]);
        sum.add(up_left_[upto2(a.up_left)]);
        sum.add(pattern_[9 * left + 3 * up + up_right]);
        sum.add(around_[a.count]);
        const int32_t slope = 2 * within2(a.left) + 2 * within2(a.up) - within2(a.up_left) +
                              within2(a.up_right);
        sum.add(slope_[std::min(std::abs(slope), 7)]);
        sum.add(blur_, blur(column, x, y));
    }

    // How dense the four columns beside this one have been.
    int32_t blur(int64_t column, int64_t x, int64_t y) const {
        const Effects& effects = grid_.plane > 1 ? column_ : channel_;
        const int64_t w = grid_.width, end = grid_.plane > 1 ? grid_.plane : grid_.columns;
        const int64_t in_plane = y * w + x;
        const Effect* here = effects.data() + column;
        int32_t total = 0;
        if (x > 0) total += here[-1].mean;
        if (x + 1 < w && in_plane + 1 < end) total += here[1].mean;
        if (y > 0) total += here[-w].mean;
        if (in_plane + w < end) total += here[w].mean;
        return clamp(total, -2 * kOne, 2 * kOne);
    }

    void add_sign(int64_t row, int64_t column, const Around& a, const int16_t* base) {
        Sum& sum = decider_.sum();
        const int32_t near[5] = {a.left, a.up, a.up_right, a.left2, a.up2};
        sum.add(side_);
        for (int i = 0; i < 5; ++i)
            if (near[i]) sum.add(signs_[i], kOne * sign(near[i]));
        if (!alike_.empty()) {
            int64_t other = above_[size(row)];
            for (int k = 0; k < kAlike && other >= 0; ++k, other = above_[size(other)]) {
                const int32_t q = levels_[other * grid_.columns + column];
                if (q) sum.add(alike_[size(row * kAlike + k)], kOne * sign(q));
            }
        }
        if (base) sum.add(base_side_, *base & 1 ? -kOne : kOne);
    }

    // The effects of the place on decision k of a magnitude.
    void add_magnitude(int64_t row, const Around& a, bool positive, int k) {
        decider_.sum().add(strong_row_[size(row)]);
        if (grid_.shape() == 2) return;
        const int32_t near = std::max(std::abs(a.left), std::abs(a.up));
        decider_.sum().add(large_[near > 3 ? 3 : std::min(near, 2)]);
        const int agree = sign(sign(a.left) + sign(a.up)) * (positive ? 1 : -1) + 1;
        if (k == 0) decider_.sum().add(agree_[agree]);
    }

    static constexpr int kAlike = 16;
    // For prices: about what a row or channel costs that holds one position, and 2 beside 3.
    static constexpr double kWake = 15, kLast = 0.1;

    Decider<Side> decider_;
    const JointGrid grid_;
    const JointPrior& prior_;
    int32_t* levels_;
    const int16_t* base_;
    const Counts* before_;
    std::vector<uint8_t> alive_row_, alive_channel_;
    Counts in_row_, in_channel_;
    std::vector<int64_t> rows_, channels_, above_;
    Calibration calibration_{30};
    Effect bias_, left_[3], up_[3], up_left_[3], up_right_[3], pattern_[27], around_[13], slope_[8];
    Effect blur_, depth_[12], fall_, side_, signs_[5], base_side_, large_[4], agree_[3];
    Effects row_, channel_, column_, cell_, place_, alike_, strong_row_;
    Magnitudes magnitudes_{prior_.magnitude, kJointLater};
};

}  // namespace fpk

#endif
