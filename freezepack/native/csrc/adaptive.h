// Integer arithmetic, binary coder and calibration shared by the adaptive codecs.
// Specification: formats/hazard.md, sections 2 to 5. Every division truncates and has
// non-negative operands; `>>` of a negative number is arithmetic (floor).
#ifndef FREEZEPACK_ADAPTIVE_H
#define FREEZEPACK_ADAPTIVE_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "adaptive_tables.h"

namespace fpk {

template <class T>
inline T clamp(T value, T low, T high) {
    return value < low ? low : value > high ? high : value;
}

inline int top_bit(uint64_t x) {
#if defined(__GNUC__)
    return 63 - __builtin_clzll(x);
#else
    int top = 0;
    while (x >>= 1) ++top;
    return top;
#endif
}

// Zeroed memory that reports failure instead of throwing.
template <class T>
class Array {
  public:
    explicit Array(size_t size) : data_(static_cast<T*>(std::calloc(size ? size : 1, sizeof(T)))) {}
    ~Array() { std::free(data_); }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;
    bool ok() const { return data_ != nullptr; }
    T* get() const { return data_; }
    T& operator[](size_t i) const { return data_[i]; }

  private:
    T* data_;
};

// n / d rounded down, for n and d below 2^52. Doubles hold both, and rounding their ratio never
// carries it to the next integer; compilers make vector code of it, other than of n / d.
inline uint64_t quotient(uint64_t n, uint64_t d) {
    return static_cast<uint64_t>(static_cast<double>(n) / static_cast<double>(d));
}

// log2 in 1/256; x >= 1.
inline int32_t log2_fixed(uint64_t x) {
    const int top = top_bit(x);
    const uint64_t below = top >= 8 ? x >> (top - 8) : x << (8 - top);
    return 256 * top + kLog2[below & 255];
}

// Logit of p/65536 in 1/256 bit.
inline int32_t stretch(uint32_t p) { return log2_fixed(p) - log2_fixed(65536 - p); }

// Logistic function of z/256 bits, 22 bits; |z| <= 4095.
inline int32_t squash(int32_t z) {
    const uint32_t y = static_cast<uint32_t>(z + 4096), i = y >> 5, f = y & 31;
    return static_cast<int32_t>((kSquash[i] * (32 - f) + kSquash[i + 1] * f) >> 5);
}

// 1 - exp(-rate), 16 bits; rate in 2^-24.
inline uint32_t hit_probability(uint64_t rate) {
    if (rate < (1u << 18)) {
        const uint32_t v = static_cast<uint32_t>(rate >> 8);
        return v == 0 ? 1 : v - (v * v >> 17);
    }
    if (rate >= (1u << 27)) return 65535;
    const uint32_t i = static_cast<uint32_t>(rate >> 19), f = rate & ((1u << 19) - 1);
    const uint32_t step = kHit[i + 1] - kHit[i];
    return clamp<uint32_t>(kHit[i] + (step * f >> 19), 1, 65535);
}

// P(part | whole) of a part of probability p and a whole of probability q.
inline uint32_t conditional(uint32_t p, uint32_t q) {
    return clamp<uint32_t>((p << 16) / q, 1, 65535);
}

// The interval of the binary coder; see section 2.
struct Interval {
    uint32_t low = 0, high = 0xffffffffu;

    uint32_t split(uint32_t p) const {
        return low + static_cast<uint32_t>(static_cast<uint64_t>(high - low) * p >> 16);
    }
    bool settled() const { return ((low ^ high) & 0xff000000u) == 0; }
    void shift() {
        low <<= 8;
        high = high << 8 | 255;
    }
    // The fewest bytes that end the stream inside the interval; those behind them are 0.
    int tail(uint8_t bytes[4]) const {
        if (low == 0) return 0;
        for (int count = 1;; ++count) {
            const uint64_t unit = uint64_t{1} << (32 - 8 * count);
            const uint64_t end = (low + unit - 1) / unit * unit;
            if (end > high) continue;  // count 4 always fits: unit 1
            for (int i = 0; i < 4; ++i) bytes[i] = static_cast<uint8_t>(end >> (24 - 8 * i));
            return count;
        }
    }
};

// Output of fixed capacity; what does not fit is counted, not written.
struct Sink {
    uint8_t* data;
    size_t capacity, length = 0;

    Sink(uint8_t* begin, size_t size) : data(begin), capacity(size) {}
    void push(uint8_t byte) {
        if (length < capacity) data[length] = byte;
        ++length;
    }
    bool full() const { return length > capacity; }
};

class BitEncoder {
  public:
    explicit BitEncoder(Sink& out) : out_(out), start_(out.length) {}

    void code(uint32_t p, bool bit) {
        const uint32_t mid = range_.split(p);
        if (bit) range_.high = mid;
        else range_.low = mid + 1;
        while (range_.settled()) {
            out_.push(static_cast<uint8_t>(range_.low >> 24));
            range_.shift();
        }
    }

    void finish() {
        uint8_t bytes[4];
        const int count = range_.tail(bytes);
        for (int i = 0; i < count; ++i) out_.push(bytes[i]);
        if (out_.full()) return;
        while (out_.length > start_ && out_.data[out_.length - 1] == 0) --out_.length;
    }

  private:
    Interval range_;
    Sink& out_;
    size_t start_;
};

class BitDecoder {
  public:
    BitDecoder(const uint8_t* data, size_t length) : data_(data), length_(length) {
        for (int i = 0; i < 4; ++i) window_ = window_ << 8 | next();
    }

    bool code(uint32_t p) {
        const uint32_t mid = range_.split(p);
        const bool bit = window_ <= mid;
        if (bit) range_.high = mid;
        else range_.low = mid + 1;
        while (range_.settled()) {
            range_.shift();
            window_ = window_ << 8 | next();
        }
        return bit;
    }

    // True if an encoder of the same decisions would have written exactly these bytes.
    bool canonical() const {
        uint8_t bytes[4];
        const size_t count = static_cast<size_t>(range_.tail(bytes)), shifted = read_ - 4;
        size_t kept = count;
        while (kept > 0 && bytes[kept - 1] == 0) --kept;
        if (kept == 0) return length_ <= shifted && (length_ == 0 || data_[length_ - 1] != 0);
        return length_ == shifted + kept && std::memcmp(data_ + shifted, bytes, kept) == 0;
    }

  private:
    uint32_t next() {
        const size_t at = read_++;
        return at < length_ ? data_[at] : 0;
    }

    const uint8_t* data_;
    size_t length_, read_ = 0;
    Interval range_;
    uint32_t window_ = 0;
};

// Adaptive calibration: a probability corrected by what happened at similar ones.
class Calibration {
  public:
    explicit Calibration(uint8_t count = 0) {
        for (int i = 0; i < 26; ++i) {
            value_[i] = kCalibration[i];
            count_[i] = count;
        }
    }

    uint32_t get(int32_t z) {
        const int32_t s = clamp<int32_t>(z + 4096, 0, 6144), i = s >> 8, f = s & 255;
        last_ = i + (f >= 128);
        return static_cast<uint32_t>(value_[i] * (256 - f) + value_[i + 1] * f) >> 8;
    }

    void update(bool bit) {
        const int32_t miss = (bit ? 65535 : 0) - value_[last_];
        const int32_t moved = value_[last_] + (miss * kRate[count_[last_]] >> 16);
        value_[last_] = clamp<int32_t>(moved, 1, 65500);
        if (count_[last_] < 127) ++count_[last_];
    }

  private:
    int32_t value_[26];
    uint8_t count_[26];
    int last_ = 0;
};

}  // namespace fpk

#endif
