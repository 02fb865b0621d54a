// Value codec `grid`: the integers of a grid. Specification: formats/grid.md, section 4.
#include "adaptive.h"
#include "common.h"

namespace fpk {
namespace {

// One direction: codes the bit that is given and returns it, or returns the next one.
class GridWriter {
  public:
    explicit GridWriter(Sink& out) : coder_(out) {}
    bool code(uint32_t p, bool bit) {
        coder_.code(p, bit);
        return bit;
    }
    void finish() { coder_.finish(); }

  private:
    BitEncoder coder_;
};

class GridReader {
  public:
    GridReader(const uint8_t* data, size_t length) : coder_(data, length) {}
    bool code(uint32_t p, bool) { return coder_.code(p); }
    bool canonical() const { return coder_.canonical(); }

  private:
    BitDecoder coder_;
};

// Integers below 2^25 in magnitude, taken as logistic with the mean magnitude of those before.
template <class Side>
class GridModel {
  public:
    explicit GridModel(Side& side) : side_(side) {}

    int32_t code(int32_t q) {
        scale_ = static_cast<int64_t>(sum_ / count_) + 32;
        int64_t magnitude = q < 0 ? -static_cast<int64_t>(q) : q;
        bool negative = false;
        const uint32_t beyond = chance_beyond(1);
        if (decide(zero_, 65536 - (beyond >> 5), magnitude == 0)) {
            magnitude = 0;
        } else {
            magnitude = code_magnitude(magnitude, beyond);
            negative = code_sign(q < 0);
        }
        sum_ += 256 * static_cast<uint64_t>(magnitude);
        ++count_;
        return static_cast<int32_t>(negative ? -magnitude : magnitude);
    }

  private:
    static constexpr int kBuckets = 24, kFine = 32;

    int64_t code_magnitude(int64_t magnitude, uint32_t beyond) {
        int64_t low = 1;
        for (int bucket = 0; bucket < kBuckets; ++bucket) {
            const uint32_t further = chance_beyond(2 * low);
            const uint64_t whole = static_cast<uint64_t>(further) << 16;
            const uint32_t p = 65536 - static_cast<uint32_t>(whole / beyond);
            if (decide(bucket_[bucket < 7 ? bucket : 7], p, magnitude < 2 * low)) break;
            low *= 2;
            beyond = further;
        }
        return code_place(magnitude, low);
    }

    // By halves: which of the magnitudes `low` to 2 * `low` - 1.
    int64_t code_place(int64_t magnitude, int64_t low) {
        for (int64_t size = low / 2; size > 0; size /= 2) {
            const int64_t middle = low + size;
            if (!side_.code(chance_lower(low, middle, middle + size), magnitude < middle))
                low = middle;
        }
        return low;
    }

    uint32_t chance_lower(int64_t low, int64_t middle, int64_t high) const {
        if (logit(high) - logit(low) < kFine) return 32768;
        const uint64_t first = chance_beyond(low), last = chance_beyond(high);
        const uint64_t p = ((first - chance_beyond(middle)) << 16) / (first - last);
        return static_cast<uint32_t>(clamp<uint64_t>(p, 32, 65504));
    }

    bool code_sign(bool bit) {
        const bool negative = side_.code(static_cast<uint32_t>((negative_ << 16) / signs_), bit);
        negative_ += negative;
        ++signs_;
        return negative;
    }

    bool decide(Calibration& calibration, uint32_t p, bool bit) {
        const uint32_t q = calibration.get(stretch(clamp<uint32_t>(p, 32, 65504)));
        bit = side_.code(clamp<uint32_t>(q, 1, 65534), bit);
        calibration.update(bit);
        return bit;
    }

    int32_t logit(int64_t magnitude) const {
        const int64_t z = ((2 * magnitude - 1) << 16) / scale_;
        return static_cast<int32_t>(z < 4095 ? z : 4095);
    }

    // Half the chance, in 2^-22, of this magnitude or more.
    uint32_t chance_beyond(int64_t magnitude) const {
        return static_cast<uint32_t>(squash(-logit(magnitude)));
    }

    Side& side_;
    uint64_t sum_ = 1024, count_ = 1, negative_ = 16, signs_ = 32;
    int64_t scale_ = 0;
    Calibration zero_{30};
    Calibration bucket_[8] = {Calibration(30), Calibration(30), Calibration(30), Calibration(30),
                              Calibration(30), Calibration(30), Calibration(30), Calibration(30)};
};

enum : int64_t { kGridDone = 0, kGridTooSmall = -1, kGridNotCanonical = -3 };

}  // namespace
}  // namespace fpk

// Encode integers below 2^25 in magnitude. Returns the length in bytes, or -1: `out` is too small.
FPK_API int64_t fpk_grid_encode(const int32_t* q, uint64_t count, uint8_t* out, uint64_t capacity) {
    fpk::Sink sink(out, capacity);
    fpk::GridWriter writer(sink);
    fpk::GridModel<fpk::GridWriter> model(writer);
    for (uint64_t i = 0; i < count; ++i) model.code(q[i]);
    writer.finish();
    return sink.full() ? fpk::kGridTooSmall : static_cast<int64_t>(sink.length);
}

// Decode `count` integers. Returns 0, or -3: the stream is not as its encoder ends it.
FPK_API int64_t fpk_grid_decode(const uint8_t* data, uint64_t length, uint64_t count, int32_t* q) {
    fpk::GridReader reader(data, length);
    fpk::GridModel<fpk::GridReader> model(reader);
    for (uint64_t i = 0; i < count; ++i) q[i] = model.code(0);
    return reader.canonical() ? fpk::kGridDone : fpk::kGridNotCanonical;
}
