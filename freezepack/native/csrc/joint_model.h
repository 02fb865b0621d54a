// Sums of effects, counters and magnitudes of the codec `joint`: formats/joint.md, sections 3 to 5.
#ifndef FREEZEPACK_JOINT_MODEL_H
#define FREEZEPACK_JOINT_MODEL_H

#include "joint_priors.h"
#include "probit_model.h"

namespace fpk {

constexpr int32_t kOne = 1 << 16;

inline Effect effect(JointStart start) { return {start.mean, start.variance}; }

inline int sign(int32_t q) { return (q > 0) - (q < 0); }

// One direction of the coder: codes the bit that is given and returns it, or returns the next one.
class JointWriter {
  public:
    static constexpr bool kReads = false;
    explicit JointWriter(Sink& out) : coder_(out) {}
    bool code(uint32_t p, bool bit) {
        coder_.code(p, bit);
        return bit;
    }
    void finish() { coder_.finish(); }

  private:
    BitEncoder coder_;
};

class JointReader {
  public:
    static constexpr bool kReads = true;
    JointReader(const uint8_t* data, size_t length) : coder_(data, length) {}
    bool code(uint32_t p, bool) { return coder_.code(p); }
    bool canonical() const { return coder_.canonical(); }

  private:
    BitDecoder coder_;
};

// Adds up what a writer would write, in 1/256 bit.
class JointGauge {
  public:
    static constexpr bool kReads = false;
    bool code(uint32_t p, bool bit) {
        cost_ += static_cast<uint64_t>(4096 - log2_fixed(bit ? p : 65536 - p));
        return bit;
    }
    uint64_t cost() const { return cost_; }

  private:
    uint64_t cost_ = 0;
};

// Effects with weights in 2^-16; together they say how likely a 1 is.
class Sum {
  public:
    void add(Effect& effect, int32_t weight = kOne) {
        effects_[size_] = &effect;
        weights_[size_] = weight;
        ++size_;
    }

    void clear() { size_ = 0; }

    // The logit of a 1, in 1/256 bit.
    int32_t logit() {
        int64_t x = 0;
        uint64_t c = 1u << 24;
        for (int i = 0; i < size_; ++i) {
            const int64_t w = weights_[i];
            x += effects_[i]->mean * w >> 16;
            c += effects_[i]->variance * static_cast<uint64_t>(w * w >> 16) >> 16;
        }
        inverse_ = inverse_deviation(c);
        t_ = standardize(x, inverse_);
        return look_up(kProbitLogit, t_);
    }

    void learn(bool bit) {
        const int32_t s = bit ? t_ : -t_;
        const int64_t size = look_up(kProbitPull, s) * inverse_ >> 16, pull = bit ? size : -size;
        const int64_t loss = (look_up(kProbitGain, s) * inverse_ >> 16) * inverse_ >> 16;
        for (int i = 0; i < size_; ++i) {
            const int64_t w = weights_[i];
            effects_[i]->update(pull * w >> 16, loss * (w * w >> 16) >> 16);
        }
    }

  private:
    static constexpr int kMost = 24;
    Effect* effects_[kMost];
    int32_t weights_[kMost];
    int size_ = 0;
    int32_t t_ = 0;
    int64_t inverse_ = 0;
};

inline uint32_t chance(int32_t logit) {
    return clamp<uint32_t>(static_cast<uint32_t>(squash(logit)) >> 6, 1, 65534);
}

// Zeros and ones so far, in 1/16.
struct Counter {
    uint32_t zeros, ones;
};

// What makes a decision out of a sum or a counter.
template <class Side>
class Decider {
  public:
    explicit Decider(Side& side) : side_(side) {}

    // Effects of the next decision.
    Sum& sum() { return sum_; }

    bool decide(bool bit) {
        bit = side_.code(chance(sum_.logit()), bit);
        return learn(bit);
    }

    bool decide(Calibration& calibration, bool bit) {
        const int32_t z = sum_.logit();
        const uint32_t p = (calibration.get(z) + static_cast<uint32_t>(squash(z) >> 6) + 1) >> 1;
        bit = side_.code(clamp<uint32_t>(p, 1, 65534), bit);
        calibration.update(bit);
        return learn(bit);
    }

    bool decide(Counter& counter, bool bit) {
        const uint64_t all = uint64_t{counter.zeros} + counter.ones;
        const uint64_t p = (uint64_t{counter.ones} << 16) / all;
        bit = side_.code(clamp<uint32_t>(static_cast<uint32_t>(p), 1, 65534), bit);
        (bit ? counter.ones : counter.zeros) += 16;
        return bit;
    }

    bool decide(uint32_t p, bool bit) { return side_.code(p, bit); }

    // Chance of a 1 by the sum, which is cleared; nothing is learned.
    double peek() {
        const uint32_t p = chance(sum_.logit());
        sum_.clear();
        return p / 65536.0;
    }

    double peek(Calibration& calibration) {
        const int32_t z = sum_.logit();
        const uint32_t p = (calibration.get(z) + static_cast<uint32_t>(squash(z) >> 6) + 1) >> 1;
        sum_.clear();
        return clamp<uint32_t>(p, 1, 65534) / 65536.0;
    }

  private:
    bool learn(bool bit) {
        sum_.learn(bit);
        sum_.clear();
        return bit;
    }

    Side& side_;
    Sum sum_;
};

// Magnitudes from 1 on: 1, 2 and 3 by steps of their own, the others by powers of two.
class Magnitudes {
  public:
    static constexpr int kSteps = 3, kPowers = 23;

    Magnitudes(JointStart first, JointStart later) {
        for (int k = 0; k < kSteps; ++k) step_[k] = effect(k ? later : first);
        for (Effect& power : power_) power = {0, 1u << 24};
        for (Effect& half : half_) half = {0, 1u << 23};
    }

    // `add(k)` adds the effects that the place has on decision k.
    template <class Side, class Add>
    int32_t code(Decider<Side>& decider, int32_t magnitude, const Add& add) {
        for (int k = 0; k < kSteps; ++k) {
            decider.sum().add(step_[k]);
            add(k);
            if (!decider.decide(magnitude > k + 1)) return k + 1;
        }
        const uint32_t rest = static_cast<uint32_t>(magnitude - kSteps);
        int power = 0;
        while (power < kPowers - 1) {
            decider.sum().add(power_[power]);
            add(kSteps - 1);
            if (!decider.decide(rest >> power > 1)) break;
            ++power;
        }
        uint32_t found = 1;
        for (int i = power - 1; i >= 0; --i) {
            bool bit = rest >> i & 1;
            if (i == power - 1) {
                decider.sum().add(half_[power]);
                bit = decider.decide(bit);
            } else {
                bit = decider.decide(32768u, bit);
            }
            found = found << 1 | bit;
        }
        return static_cast<int32_t>(found) + kSteps;
    }

    // Add the effects of decision k < kSteps: is it more than k + 1?
    void add_step(Sum& sum, int k) { sum.add(step_[k]); }

  private:
    Effect step_[kSteps], power_[kPowers], half_[kPowers];
};

}  // namespace fpk

#endif
