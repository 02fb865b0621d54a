// Value codec `float`: trained values given the base. Specification: formats/floats.md.
// One pass serves both directions: an encoder codes what it is given, a decoder returns what it
// reads whatever it is given.
#include <algorithm>

#include "adaptive.h"
#include "common.h"

namespace fpk {
namespace {

enum : int64_t {
    kDone = 0,
    kTooSmall = -1,
    kBadExponent = -2,
    kBadValue = -3,
    kBadTop = -4,
    kNotCanonical = -5,
    kBadPadding = -6
};

// The head of a section, checked by the caller; the fields of formats/floats.md, section 4.
struct Head {
    uint32_t width, fraction, near, shift, raw, count, equal, top;

    uint64_t magnitude(uint64_t pattern) const {
        return pattern & ((uint64_t{1} << (width - 1)) - 1);
    }
    bool negative(uint64_t pattern) const { return pattern >> (width - 1) & 1; }
    // Unsigned place of a pattern among all, in rising order of value.
    uint64_t rank(uint64_t pattern) const {
        const uint64_t sign = uint64_t{1} << (width - 1);
        return negative(pattern) ? sign - 1 - magnitude(pattern) : sign + pattern;
    }
    uint64_t pattern(uint64_t rank) const {
        const uint64_t sign = uint64_t{1} << (width - 1);
        return rank >= sign ? rank - sign : sign | (sign - 1 - rank);
    }
    uint64_t last_rank() const { return ~uint64_t{0} >> (64 - width); }
    uint32_t floor(uint64_t base) const {
        return near ? static_cast<uint32_t>(magnitude(base) >> fraction) : 0;
    }
    uint32_t ceiling(uint64_t base) const {
        return near ? floor(base) + width - raw : (1u << (width - 1 - fraction)) - 1;
    }
    size_t raw_length() const { return (size_t{count - equal} * raw + 7) / 8; }
};

struct Value {
    bool sign = false;
    uint64_t magnitude = 0;
};

Value take(const Head& head, uint64_t value, uint64_t base) {
    const bool below = head.negative(base);
    if (!head.near) return {head.negative(value) != below, head.magnitude(value)};
    const uint64_t a = head.rank(value), b = head.rank(base);
    return {(a < b) != below, a < b ? b - a : a - b};
}

// Returns false if there is no such value.
bool join(const Head& head, Value parts, uint64_t base, uint64_t& value) {
    const bool sign = parts.sign != head.negative(base);
    if (!head.near) {
        value = uint64_t{sign} << (head.width - 1) | parts.magnitude;
        return true;
    }
    const uint64_t rank = head.rank(base);
    const uint64_t room = sign ? rank : head.last_rank() - rank;
    if (parts.magnitude > room) return false;
    value = head.pattern(sign ? rank - parts.magnitude : rank + parts.magnitude);
    return true;
}

struct Rates {
    int32_t rate[254] = {};
    constexpr Rates() {
        for (int i = 0; i < 254; ++i) rate[i] = 65536 / (i + 2);
    }
};
constexpr Rates kRates;

class AdaptiveBit {
  public:
    AdaptiveBit() = default;
    AdaptiveBit(int32_t p, int32_t count) : p_(p), count_(count) {}
    uint32_t p() const { return static_cast<uint32_t>(clamp(p_, 32, 65504)); }
    void update(bool bit) {
        p_ += ((bit ? 65535 : 0) - p_) * kRates.rate[count_] >> 16;
        if (count_ < 253) ++count_;
    }

  private:
    int32_t p_ = 1 << 15, count_ = 0;
};

class Writer {
  public:
    explicit Writer(Sink& out) : coder_(out) {}
    bool code(uint32_t p, bool bit) {
        coder_.code(p, bit);
        return bit;
    }
    void finish() { coder_.finish(); }

  private:
    BitEncoder coder_;
};

class Reader {
  public:
    Reader(const uint8_t* data, size_t length) : coder_(data, length) {}
    bool code(uint32_t p, bool) { return coder_.code(p); }
    bool canonical() const { return coder_.canonical(); }

  private:
    BitDecoder coder_;
};

// All models of a section.
template <class Side>
class Model {
  public:
    Model(Side& side, const Head& head)
        : side_(side), head_(head), left_(head.count), equal_left_(head.equal) {
        for (uint32_t k = 0; k < kSteps; ++k) step_[k] = AdaptiveBit(1 << 15, 2);
        step_[0] = AdaptiveBit(6000, 2);
        step_[1] = AdaptiveBit(20000, 2);
        for (auto& bit : fraction_) bit = AdaptiveBit(1 << 15, 4);
    }

    // Whether the next value is equal to its base.
    bool equal(bool bit) {
        if (equal_left_ == 0) bit = false;
        else if (equal_left_ == left_) bit = true;
        else bit = code(equal_, bit);
        --left_;
        equal_left_ -= bit;
        return bit;
    }

    bool sign(bool bit) { return code(sign_, bit); }

    // Codes the magnitude without its raw bits; returns false if what is decoded is out of range.
    bool high(uint64_t& high, uint64_t base) {
        const uint32_t floor = head_.floor(base);
        if (head_.top < floor) return false;
        const uint32_t kept = head_.fraction - head_.shift - head_.raw;
        uint32_t exponent = static_cast<uint32_t>(high >> kept);
        if (head_.near) exponent = floor + (high ? top_bit(high) + 1 : 0);
        exponent = count_down(exponent, floor);
        if (exponent < floor || exponent > head_.ceiling(base)) return false;
        top_ = std::max(top_, exponent);
        const uint32_t length = exponent - floor;
        const uint32_t width = !head_.near ? kept : length > 0 ? length - 1 : 0;
        const uint64_t tail = width == 0 ? 0 : code_tail(high, width, head_.top - exponent);
        const uint64_t leading = !head_.near ? exponent : length > 0;
        high = leading << width | tail;
        return true;
    }

    uint32_t top() const { return top_; }

  private:
    static constexpr uint32_t kSteps = 24;

    bool code(AdaptiveBit& model, bool bit) {
        bit = side_.code(model.p(), bit);
        model.update(bit);
        return bit;
    }

    uint64_t code_plain(uint64_t value, uint32_t width) {
        uint64_t result = 0;
        while (width-- > 0) result = result << 1 | side_.code(1 << 15, value >> width & 1);
        return result;
    }

    uint32_t count_down(uint32_t exponent, uint32_t floor) {
        const uint32_t range = head_.top - floor, steps = std::min(range, kSteps);
        for (uint32_t k = 0; k < steps; ++k)
            if (code(step_[k], exponent == head_.top - k)) return head_.top - k;
        const uint32_t last = head_.top - steps, room = range - steps;
        const uint32_t bits = room == 0 ? 0 : static_cast<uint32_t>(top_bit(room)) + 1;
        const uint64_t below = code_plain(last - exponent, bits);
        return below > last ? ~0u : last - static_cast<uint32_t>(below);
    }

    uint64_t code_tail(uint64_t high, uint32_t width, uint32_t step) {
        const uint64_t leading = code(fraction_[std::min(step, 7u)], high >> (width - 1) & 1);
        return leading << (width - 1) | code_plain(high, width - 1);
    }

    Side& side_;
    const Head& head_;
    uint32_t left_, equal_left_, top_ = 0;
    AdaptiveBit equal_, sign_, step_[kSteps], fraction_[8];
};

// Raw bits, lowest first.
class RawReader {
  public:
    explicit RawReader(const uint8_t* data) : data_(data) {}
    uint64_t take(uint32_t width) {
        while (bits_ < width) {
            word_ |= uint64_t{*data_++} << bits_;
            bits_ += 8;
        }
        const uint64_t value = word_ & ((uint64_t{1} << width) - 1);
        word_ >>= width;
        bits_ -= width;
        return value;
    }
    bool clean() const { return word_ == 0; }

  private:
    const uint8_t* data_;
    uint64_t word_ = 0;
    uint32_t bits_ = 0;
};

template <class Word>
void write_raw(const Head& head, const Word* values, const Word* base, Sink& out) {
    const uint64_t mask = (uint64_t{1} << head.raw) - 1;
    uint64_t word = 0;
    uint32_t bits = 0;
    for (uint32_t i = 0; i < head.count; ++i) {
        if (values[i] == base[i]) continue;
        word |= (take(head, values[i], base[i]).magnitude >> head.shift & mask) << bits;
        for (bits += head.raw; bits >= 8; bits -= 8, word >>= 8)
            out.push(static_cast<uint8_t>(word));
    }
    if (bits > 0) out.push(static_cast<uint8_t>(word));
}

template <class Word>
int64_t encode(const Head& head, const void* value_words, const void* base_words, Sink& out) {
    const Word *values = static_cast<const Word*>(value_words);
    const Word *base = static_cast<const Word*>(base_words);
    write_raw(head, values, base, out);
    Writer writer(out);
    Model<Writer> model(writer, head);
    for (uint32_t i = 0; i < head.count; ++i) {
        if (model.equal(values[i] == base[i])) continue;
        const Value parts = take(head, values[i], base[i]);
        uint64_t high = parts.magnitude >> (head.shift + head.raw);
        model.sign(parts.sign);
        model.high(high, base[i]);
    }
    writer.finish();
    return out.full() ? static_cast<int64_t>(kTooSmall) : static_cast<int64_t>(out.length);
}

template <class Word>
int64_t decode(const Head& head, const uint8_t* data, size_t length, const void* base_words,
               void* value_words) {
    const Word* base = static_cast<const Word*>(base_words);
    Word* values = static_cast<Word*>(value_words);
    const size_t skipped = head.raw_length();
    RawReader low(data);
    Reader reader(data + skipped, length - skipped);
    Model<Reader> model(reader, head);
    for (uint32_t i = 0; i < head.count; ++i) {
        values[i] = base[i];
        if (model.equal(false)) continue;
        Value parts;
        uint64_t high = 0, value = 0;
        parts.sign = model.sign(false);
        if (!model.high(high, base[i])) return kBadExponent;
        parts.magnitude = (high << head.raw | low.take(head.raw)) << head.shift;
        if (!join(head, parts, base[i], value) || value == base[i]) return kBadValue;
        values[i] = static_cast<Word>(value);
    }
    if (!low.clean()) return kBadPadding;
    if (head.equal < head.count && model.top() != head.top) return kBadTop;
    return reader.canonical() ? kDone : kNotCanonical;
}

}  // namespace
}  // namespace fpk

// Write what follows the head, which is that of the values. Returns the length in bytes.
FPK_API int64_t fpk_float_encode(const uint32_t* fields, const void* values, const void* base,
                                 uint8_t* out, uint64_t capacity) {
    fpk::Head head;
    std::memcpy(&head, fields, sizeof head);
    fpk::Sink sink(out, capacity);
    if (head.width == 16) return fpk::encode<uint16_t>(head, values, base, sink);
    if (head.width == 32) return fpk::encode<uint32_t>(head, values, base, sink);
    return fpk::encode<uint64_t>(head, values, base, sink);
}

// Read what follows a head that was checked; its raw bits are there. Returns 0 or an error.
FPK_API int64_t fpk_float_decode(const uint32_t* fields, const uint8_t* data, uint64_t length,
                                 const void* base, void* values) {
    fpk::Head head;
    std::memcpy(&head, fields, sizeof head);
    if (head.width == 16) return fpk::decode<uint16_t>(head, data, length, base, values);
    if (head.width == 32) return fpk::decode<uint32_t>(head, data, length, base, values);
    return fpk::decode<uint64_t>(head, data, length, base, values);
}
