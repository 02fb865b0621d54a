// Codec `joint`: index and values of several tensors. Specification: formats/joint.md.
#include "common.h"
#include "joint_matrix.h"

#include <new>

namespace fpk {
namespace {

// One tensor, as Python lays it out; see freezepack/codecs/joint/kernel.py.
struct JointTensor {
    int64_t matrix, rows, columns, plane, width, free_plane, free_width, other, based;

    int64_t size() const { return rows * columns; }
    JointGrid grid(bool linked) const {
        return linked ? JointGrid{rows, columns, plane, width}
                      : JointGrid{rows, columns, free_plane, free_width};
    }
};

struct Choice {
    bool linked, turned;
};

constexpr uint32_t kLinked = 61440;

// What zeros and ones of a vector's elements cost whatever their place is.
void price_vector(const JointTensor& tensor, const int32_t* levels, const Counts* rows,
                  float* prices) {
    double trained = 0, large = 0;
    for (int64_t i = 0; i < tensor.columns; ++i) {
        trained += levels[i] != 0;
        large += std::abs(levels[i]) > 1;
    }
    const double all = static_cast<double>(tensor.columns), share = (trained + 0.5) / (all + 1);
    const double more = (large + 0.5) / (trained + 1);
    for (int64_t i = 0; i < tensor.columns; ++i, prices += 5) {
        const bool dead = rows && (*rows)[static_cast<size_t>(i)] == 0;
        const double bits = dead ? 10 : 1 - std::log2(share);
        prices[1] = prices[3] = static_cast<float>(bits - std::log2(1 - more));
        prices[0] = prices[4] = static_cast<float>(bits - std::log2(more));
        prices[2] = dead ? 0.0f : static_cast<float>(-std::log2(1 - share));
    }
}

template <class Side>
void code_vector(Side& side, const JointTensor& tensor, int32_t* levels, const Counts* rows) {
    Decider<Side> decider(side);
    Effect trained[2] = {effect(kJointTrained[0]), effect(kJointTrained[1])}, last_size[3];
    for (int n = 0; n < 3; ++n) last_size[n] = effect(kJointLastSize[n]);
    Effect positive = effect(kJointPositive), last_sign = effect(kJointLastSign), last_power[8];
    for (Effect& power : last_power) power = effect(kJointLastPower);
    Magnitudes magnitudes(kJointFirstOfVector, kJointLaterOfVector);
    int32_t last = 0;
    for (int64_t i = 0; i < tensor.columns; ++i) {
        const bool dead = rows && (*rows)[static_cast<size_t>(i)] == 0;
        int32_t& level = levels[i];
        decider.sum().add(trained[dead]);
        if (!dead) decider.sum().add(last_size[std::min(std::abs(last), 2)]);
        if (!decider.decide(level != 0)) {
            if (Side::kReads) level = 0;
            if (!dead) last = 0;
            continue;
        }
        decider.sum().add(positive);
        if (last) decider.sum().add(last_sign, kOne * sign(last));
        const bool up = decider.decide(level > 0);
        const int bits = last ? top_bit(static_cast<uint64_t>(std::abs(last))) + 1 : 0;
        Effect& power = last_power[std::min(bits, 7)];
        const int32_t size = magnitudes.code(decider, std::abs(level),
                                             [&](int) { decider.sum().add(power); });
        last = up ? size : -size;
        if (Side::kReads) level = last;
    }
}

// Codes tensors one after the other: matrices, then vectors.
template <class Side>
class JointRun {
  public:
    JointRun(Side& side, const JointTensor* tensors, uint32_t count, int32_t* levels,
             const int16_t* base)
        : side_(side), tensors_(tensors), counts_(count) {
        int64_t first = 0;
        for (uint32_t i = 0; i < count; ++i) {
            levels_.push_back(levels + first);
            base_.push_back(tensors[i].based ? base + first : nullptr);
            first += tensors[i].size();
        }
    }

    // `prices`: five for each position, or none.
    void run(float* prices = nullptr) {
        prices_ = prices;
        for (size_t i = 0; i < counts_.size(); ++i)
            if (tensors_[i].matrix) code_matrix(i);
        for (size_t i = 0; i < counts_.size(); ++i)
            if (!tensors_[i].matrix) code_vector_of(i);
    }

  private:
    const Counts* other(size_t i) const {
        const int64_t j = tensors_[i].other;
        return j < 0 ? nullptr : &counts_[static_cast<size_t>(j)];
    }

    float* prices(size_t i) const {
        return prices_ ? prices_ + 5 * (levels_[i] - levels_[0]) : nullptr;
    }

    void code_vector_of(size_t i) {
        code_vector(side_, tensors_[i], levels_[i], other(i));
        if (prices_) price_vector(tensors_[i], levels_[i], other(i), prices(i));
    }

    void code_matrix(size_t i) {
        Choice choice = choose(i);
        Decider<Side> decider(side_);
        if (other(i)) choice.linked = decider.decide(kLinked, choice.linked);
        choice.turned = decider.decide(32768u, choice.turned);
        counts_[i] = walk(side_, i, choice, prices(i));
    }

    template <class Any>
    Counts walk(Any& side, size_t i, Choice choice, float* prices = nullptr) const {
        JointMatrix<Any> matrix(side, tensors_[i].grid(choice.linked), levels_[i], base_[i],
                                choice.linked ? other(i) : nullptr);
        matrix.run(choice.turned);
        if (prices) matrix.price(prices);
        return matrix.counts();
    }

    // The first of the cheapest choices; a reader finds its own in the stream.
    Choice choose(size_t i) const {
        Choice best = {other(i) != nullptr, false};
        if (Side::kReads) return best;
        uint64_t least = UINT64_MAX;
        for (int k = other(i) ? 0 : 2; k < 4; ++k) {
            const Choice choice = {k < 2, k % 2 == 1};
            JointGauge gauge;
            if (other(i)) gauge.code(kLinked, choice.linked);
            walk(gauge, i, choice);
            if (gauge.cost() < least) {
                least = gauge.cost();
                best = choice;
            }
        }
        return best;
    }

    Side& side_;
    const JointTensor* tensors_;
    std::vector<Counts> counts_;
    std::vector<int32_t*> levels_;
    std::vector<const int16_t*> base_;
    float* prices_ = nullptr;
};

enum : int64_t { kDone = 0, kTooSmall = -1, kNotCanonical = -3, kNoMemory = -4 };

}  // namespace
}  // namespace fpk

// Encode the levels of `count` tensors, up to 2^23 + 2 in magnitude. Returns the length in bytes.
FPK_API int64_t fpk_joint_encode(const int64_t* tensors, uint32_t count, const int32_t* levels,
                                 const int16_t* base, uint8_t* out, uint64_t capacity) {
    try {
        fpk::Sink sink(out, capacity);
        fpk::JointWriter writer(sink);
        fpk::JointRun<fpk::JointWriter>(writer, reinterpret_cast<const fpk::JointTensor*>(tensors),
                                        count, const_cast<int32_t*>(levels), base)
            .run();
        writer.finish();
        return sink.full() ? fpk::kTooSmall : static_cast<int64_t>(sink.length);
    } catch (const std::bad_alloc&) {
        return fpk::kNoMemory;
    }
}

// Decode the levels of `count` tensors into `levels`, which is all 0. Returns 0 or an error.
FPK_API int64_t fpk_joint_decode(const uint8_t* data, uint64_t length, const int64_t* tensors,
                                 uint32_t count, const int16_t* base, int32_t* levels) {
    try {
        fpk::JointReader reader(data, length);
        fpk::JointRun<fpk::JointReader>(reader, reinterpret_cast<const fpk::JointTensor*>(tensors),
                                        count, levels, base)
            .run();
        return reader.canonical() ? fpk::kDone : fpk::kNotCanonical;
    } catch (const std::bad_alloc&) {
        return fpk::kNoMemory;
    }
}

// Write the bits of -2, -1, 0, 1, 2 at every position to `prices`, unless it is null. Returns the
// bits of all tensors.
FPK_API double fpk_joint_price(const int64_t* tensors, uint32_t count, const int32_t* levels,
                               const int16_t* base, float* prices) {
    try {
        fpk::JointGauge gauge;
        fpk::JointRun<fpk::JointGauge>(gauge, reinterpret_cast<const fpk::JointTensor*>(tensors),
                                       count, const_cast<int32_t*>(levels), base)
            .run(prices);
        return static_cast<double>(gauge.cost()) / 256;
    } catch (const std::bad_alloc&) {
        return -1;
    }
}
