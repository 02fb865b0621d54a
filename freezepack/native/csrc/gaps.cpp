// Index codec `gaps`: distances in blocks of Rice or exponential codes. Specification:
// formats/codecs.md, section 4. Units have at most 2^20 positions, so gaps are below 2^20.
#include "common.h"

#include <cstdlib>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

#if defined(__GNUC__)
#define FPK_INLINE inline __attribute__((always_inline))
#else
#define FPK_INLINE inline
#endif

namespace {

constexpr uint32_t kBlock = 16;    // gaps of a block in mode 0
constexpr uint32_t kRun = 32;      // gaps handled at a time: a block of mode 1, or two of mode 0
constexpr int kMaxParameter = 19;
constexpr uint64_t kMaxHead = 20;  // in mode 1

inline uint32_t trailing_zeros(uint64_t x) {
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long index;
    _BitScanForward64(&index, x);
    return index;
#else
    return static_cast<uint32_t>(__builtin_ctzll(x));
#endif
}

inline uint32_t ones_in(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    return static_cast<uint32_t>(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

// Bits that x < 2^24 needs: the exponent of a float, so that loops over it vectorise anywhere.
inline int32_t bit_length(uint32_t x) {
    const float f = static_cast<float>(static_cast<int32_t>(x));
    int32_t bits;
    std::memcpy(&bits, &f, 4);
    return (bits >> 23) - (bits ? 126 : 0);
}

// At least 57 bits from bit `at` on; reads 8 bytes.
inline uint64_t load(const uint8_t* data, uint64_t at) {
    uint64_t word;
    std::memcpy(&word, data + (at >> 3), 8);
    return word >> (at & 7);
}

inline int head(uint32_t gap, int parameter, int mode) {
    return mode ? bit_length((gap >> parameter) + 1) - 1 : static_cast<int>(gap >> parameter);
}

// What the gaps of a section ask for in one of the modes.
struct Plan {
    int mode, parameter;
    uint64_t steps = 0, heads = 0, fields = 0;  // bits

    Plan(int mode_, uint32_t count, uint32_t size) : mode(mode_) {
        const int length = bit_length((size - count) / count);
        parameter = length > 0 ? length - 1 : 0;
    }

    uint64_t bits() const { return steps + heads + fields; }

    // Takes the next block and returns the unary number that stands for its parameter. Whole blocks
    // have a length that the compiler knows: no divisions, no rests of loops.
    uint32_t add(const uint32_t* gap, uint32_t n) {
        if (mode && n == kRun) return add_block(gap, kRun);
        if (!mode && n == kBlock) return add_block(gap, kBlock);
        return add_block(gap, n);
    }

    // Takes the one or two blocks of a run.
    void add_run(const uint32_t* gap, uint32_t n, int used[2]) {
        const uint32_t first = mode || n < kBlock ? n : kBlock;
        add(gap, first);
        used[0] = used[1] = parameter;
        if (n == first) return;
        add(gap + first, n - first);
        used[1] = parameter;
    }

  private:
    FPK_INLINE uint32_t add_block(const uint32_t* gap, uint32_t n) {
        int32_t sum = 0, tall = 0;
        if (mode) {
            for (uint32_t i = 0; i < n; ++i) sum += bit_length(gap[i]);
        } else {
            for (uint32_t i = 0; i < n; ++i) sum += static_cast<int32_t>(gap[i]);
        }
        const uint32_t total = static_cast<uint32_t>(sum);
        const int next = mode ? static_cast<int>(2 * total > n ? (2 * total - n) / (2 * n) : 0)
                              : bit_length((8 * total + 3 * n) / (16 * n));
        for (uint32_t i = 0; i < n; ++i) tall += head(gap[i], next, mode);
        const int move = next - parameter;
        const uint32_t step = static_cast<uint32_t>(move < 0 ? -2 * move - 1 : 2 * move);
        parameter = next;
        steps += step + 1;
        heads += static_cast<uint32_t>(tall) + n;
        fields += n * static_cast<uint32_t>(next) + static_cast<uint32_t>(mode ? tall : 0);
        return step;
    }
};

// Writes into zeros.
struct Writer {
    uint8_t* data;
    uint64_t at;

    void field(uint64_t value, uint32_t width) {
        uint64_t word;
        std::memcpy(&word, data + (at >> 3), 8);
        word |= value << (at & 7);
        std::memcpy(data + (at >> 3), &word, 8);
        at += width;
    }
    void unary(uint64_t zeros) {
        at += zeros;
        field(1, 1);
    }
};

// Calls use(gaps, n) for the gaps of `positions`, n at a time.
template <typename Use>
void each(const uint32_t* positions, uint32_t count, uint32_t n, Use use) {
    uint32_t gap[kRun], expected = 0;
    for (uint32_t i = 0; i < count; i += n) {
        if (n > count - i) n = count - i;
        for (uint32_t j = 0; j < n; ++j) {
            gap[j] = positions[i + j] - expected;
            expected = positions[i + j] + 1;
        }
        use(gap, n);
    }
}

// Moves `at` behind the `wanted`th one; false if there are fewer.
bool skip_ones(const uint8_t* data, uint64_t end, uint64_t& at, uint64_t wanted) {
    while (at < end) {
        uint64_t word = load(data, at) & ((uint64_t{1} << 56) - 1);
        const uint32_t found = ones_in(word);
        if (found < wanted) {
            wanted -= found;
            at += 56;
            continue;
        }
        while (--wanted) word &= word - 1;
        at += trailing_zeros(word) + 1;
        return at <= end;
    }
    return false;
}

// Distances between ones, from bit `at` on; the caller knows that there are enough ones.
class Heads {
  public:
    Heads(const uint8_t* data, uint64_t at) : data_(data), base_(at), next_(at), word_(load57(at)) {}

    uint64_t get() {
        while (word_ == 0) word_ = load57(base_ += 56);
        const uint64_t one = base_ + trailing_zeros(word_);
        word_ &= word_ - 1;
        const uint64_t zeros = one - next_;
        next_ = one + 1;
        return zeros;
    }

  private:
    uint64_t load57(uint64_t at) const { return load(data_, at) & ((uint64_t{1} << 56) - 1); }

    const uint8_t* data_;
    uint64_t base_, next_, word_;
};

template <int mode>
bool decode(const uint8_t* data, uint64_t end, uint32_t count, uint32_t size, uint32_t* out) {
    constexpr uint32_t block = mode ? kRun : kBlock;
    uint64_t first_head = 1;
    if (!skip_ones(data, end, first_head, (count + block - 1) / block)) return false;
    uint64_t at = first_head;
    if (!skip_ones(data, end, at, count)) return false;
    Heads steps(data, 1), heads(data, first_head);
    Plan plan(mode, count, size), other(1 - mode, count, size);
    int64_t parameter = plan.parameter;
    uint64_t position = ~uint64_t{0};
    for (uint32_t i = 0; i < count; i += kRun) {
        const uint32_t run = count - i < kRun ? count - i : kRun;
        int read[2] = {0, 0}, used[2];
        uint32_t gap[kRun];
        if (at > end) return false;
        for (uint32_t b = 0; b < run; b += block) {
            const uint32_t n = run - b < block ? run - b : block;
            const int64_t step = static_cast<int64_t>(steps.get());
            parameter += step & 1 ? -((step + 1) >> 1) : step >> 1;
            if (parameter < 0 || parameter > kMaxParameter) return false;
            read[b / kBlock] = static_cast<int>(parameter);
            const uint64_t unit = uint64_t{1} << parameter;
            for (uint32_t j = b; j < b + n; ++j) {
                const uint64_t tall = heads.get();
                if (mode && tall > kMaxHead) return false;
                const uint64_t width = static_cast<uint64_t>(parameter) + (mode ? tall : 0);
                const uint64_t field = load(data, at) & ((uint64_t{1} << width) - 1);
                const uint64_t distance = mode ? (uint64_t{1} << width) + field - unit : tall * unit + field;
                at += width;
                position += distance + 1;
                gap[j] = static_cast<uint32_t>(distance);
                out[i + j] = static_cast<uint32_t>(position);
            }
        }
        if (position >= size) return false;
        plan.add_run(gap, run, used);
        if (used[0] != read[0] || (!mode && run > kBlock && used[1] != read[1])) return false;
        other.add_run(gap, run, used);
    }
    if (at > end || end - at > 7 || (end > at && (load(data, at) & ((1u << (end - at)) - 1)))) return false;
    return mode ? plan.bits() < other.bits() : plan.bits() <= other.bits();
}

FPK_CLONES FPK_FLATTEN bool decode_any(const uint8_t* data, uint64_t length, uint32_t count, uint32_t size,
                                       uint32_t* out) {
    return data[0] & 1 ? decode<1>(data, 8 * length, count, size, out)
                       : decode<0>(data, 8 * length, count, size, out);
}

// Writes the numbers below `size` that are not among `count` increasing ones.
void write_others(const uint32_t* positions, uint32_t count, uint32_t size, uint32_t* out) {
    uint32_t next = 0;
    for (uint32_t i = 0; i <= count; ++i) {
        const uint32_t end = i < count ? positions[i] : size;
        while (next < end) *out++ = next++;
        ++next;
    }
}

}  // namespace

// Writes the section of `count` positions, 1 to size / 2, into `out`: 8 * count + 16 zeros. Returns
// its length.
FPK_API uint64_t fpk_gaps_encode(const uint32_t* positions, uint32_t count, uint32_t size, uint8_t* out) {
    Plan plans[2] = {Plan(0, count, size), Plan(1, count, size)};
    each(positions, count, kRun, [&](const uint32_t* gap, uint32_t n) {
        int used[2];
        for (Plan& plan : plans) plan.add_run(gap, n, used);
    });
    const int mode = plans[1].bits() < plans[0].bits();
    out[0] = static_cast<uint8_t>(mode);
    Writer steps{out, 1}, heads{out, 1 + plans[mode].steps};
    Writer fields{out, heads.at + plans[mode].heads};
    Plan plan(mode, count, size);
    each(positions, count, mode ? kRun : kBlock, [&](const uint32_t* gap, uint32_t n) {
        steps.unary(plan.add(gap, n));
        for (uint32_t i = 0; i < n; ++i) {
            const int tall = head(gap[i], plan.parameter, mode);
            const uint32_t width = static_cast<uint32_t>(plan.parameter + (mode ? tall : 0));
            const uint64_t value = gap[i] + (mode ? uint64_t{1} << plan.parameter : 0);
            heads.unary(static_cast<uint64_t>(tall));
            fields.field(value & ((uint64_t{1} << width) - 1), width);
        }
    });
    return (fields.at + 7) / 8;
}

// Reads a section of `length` bytes, behind which 256 bytes can be read, into `out`: `count`
// positions of a unit of `size`, fewer than all. Returns 1, or 0 if the section breaks a rule.
FPK_API int32_t fpk_gaps_positions(const uint8_t* data, uint64_t length, uint32_t count, uint32_t size,
                                   uint32_t* out) {
    if (length == 0 || count == 0 || count >= size) return 0;
    if (count <= size - count) return decode_any(data, length, count, size, out);
    const uint32_t coded = size - count;
    uint32_t* others = static_cast<uint32_t*>(std::malloc(4 * size_t(coded)));
    if (others == nullptr) return 0;
    const bool fits = decode_any(data, length, coded, size, others);
    if (fits) write_others(others, coded, size, out);
    std::free(others);
    return fits;
}
