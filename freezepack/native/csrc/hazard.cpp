// Index codec `hazard`: trained positions given the base. Specification: formats/hazard.md.
// One walk serves both directions: every decision asks "is a position before `stop` trained?"
#include "common.h"
#include "hazard_model.h"

namespace fpk {
namespace {

// Answers decisions from the trained positions, and codes them.
class Writer {
  public:
    Writer(Sink& out, const uint32_t* next) : coder_(out), next_(next) {}
    bool decide(uint32_t p, uint32_t stop) {
        const bool bit = *next_ < stop;
        coder_.code(p, bit);
        return bit;
    }
    void place(uint32_t) { ++next_; }
    void finish() { coder_.finish(); }

  private:
    BitEncoder coder_;
    const uint32_t* next_;
};

// Answers decisions from the bytes, and collects the trained positions.
class Reader {
  public:
    Reader(const uint8_t* data, size_t length, uint32_t* next)
        : coder_(data, length), next_(next) {}
    bool decide(uint32_t p, uint32_t) { return coder_.code(p); }
    void place(uint32_t position) { *next_++ = position; }
    bool canonical() const { return coder_.canonical(); }

  private:
    BitDecoder coder_;
    uint32_t* next_;
};

template <class Coder>
class Walk {
  public:
    Walk(Coder& coder, const uint32_t* base, const Layout& layout, uint8_t preset)
        : coder_(coder), layout_(layout), preset_(preset), levels_(base, layout, preset_.slope),
          columns_(layout, preset_), pull_(layout.columns), rate_(layout.columns),
          group_offset_(layout.groups()), superblock_(calibration()),
          group_{calibration(), calibration()},
          position_{calibration(), calibration(), calibration(), calibration(), calibration()} {}

    bool ok() const {
        return levels_.ok() && columns_.ok() && pull_.ok() && rate_.ok() && group_offset_.ok();
    }

    // Return whether all trained positions were placed.
    bool run() {
        left_ = layout_.trained;
        for (uint32_t row = 0; row < layout_.rows; ++row) {
            start_row(row);
            if (walk_row()) return true;
            columns_.finish_row(row, pull_.get(), row_.factor);
            levels_.refresh(row + 1);
        }
        return false;
    }

  private:
    Calibration calibration() const { return Calibration(preset_.flat ? 30 : 0); }

    bool decide(Calibration& calibration, uint32_t p, uint32_t stop) {
        const uint32_t q = clamp<uint32_t>(calibration.get(stretch(p)), 1, 65534);
        const bool bit = coder_.decide(q, stop);
        calibration.update(bit);
        return bit;
    }

    uint32_t chance(uint64_t rate) const { return hit_probability(row_.scale(rate)); }

    static uint64_t total(const uint32_t* begin, const uint32_t* end) {
        uint64_t sum = 0;
        while (begin != end) sum += *begin++;
        return sum;
    }

    void start_row(uint32_t row) {
        first_ = row * layout_.columns;
        row_ = RowFactor();
        row_offset_ = Offset();
        level_ = levels_.row(row);
        const uint32_t *by_level = levels_.rates(), *factors = columns_.factors();
        uint32_t *pull = pull_.get(), *rate = rate_.get();
        for (uint32_t j = 0; j < layout_.columns; ++j) pull[j] = by_level[level_[j]];
        for (uint32_t j = 0; j < layout_.columns; ++j)
            rate[j] = static_cast<uint32_t>(uint64_t{pull[j]} * factors[j] >> 12);
    }

    bool walk_row() {
        const uint32_t span = layout_.superblock_width();
        for (uint32_t from = 0; from < layout_.columns; from += span) {
            const uint32_t to = std::min(layout_.columns, from + span);
            const uint64_t sum = total(&rate_[from], &rate_[to]);
            if (!decide(superblock_, chance(sum), first_ + to)) row_.expected += sum;
            else if (walk_superblock(from, to, sum)) return true;
            row_.refresh(preset_.row_prior);
        }
        return false;
    }

    bool walk_superblock(uint32_t from, uint32_t to, uint64_t left) {
        const uint32_t width = layout_.group_width();
        bool first = true;
        for (uint32_t a = from; a < to; a += width) {
            const uint32_t b = std::min(to, a + width);
            const uint64_t sum = total(&rate_[a], &rate_[b]);
            bool any = true;  // the last group, if all before it are empty
            if (!first || b < to) {
                uint32_t p = chance(sum);
                if (first) p = conditional(p, chance(left));
                any = decide(group_[first], p, first_ + b);
            }
            left -= sum;
            if (!any) {
                row_.expected += sum;
                continue;
            }
            first = false;
            if (walk_group(a, b, sum)) return true;
        }
        return false;
    }

    bool walk_group(uint32_t a, uint32_t b, uint64_t sum) {
        const uint32_t group = a / layout_.group_width();
        columns_.touch(group);
        uint64_t weights = 0, left = sum;
        uint32_t found = 0;
        for (uint32_t j = a; j < b; ++j) {
            const uint64_t rate = row_.scale(rate_[j]);
            bool bit = true;  // the last position, if all before it are frozen
            if (found > 0 || j + 1 < b) {
                uint32_t p = hit_probability(rate);
                if (found == 0) p = conditional(p, chance(left));
                bit = decide_position(j, group, std::min(found, 4u), p);
            }
            left -= rate_[j];
            if (!bit) continue;
            ++found;
            weights += record(j, rate);
            coder_.place(first_ + j);
            if (--left_ == 0) return true;
        }
        row_.expected += sum;
        row_.events += weights;
        row_.refresh(preset_.row_prior);
        return false;
    }

    bool decide_position(uint32_t j, uint32_t group, uint32_t context, uint32_t p) {
        const uint32_t stop = first_ + j + 1;
        Calibration& calibration = position_[context];
        if (preset_.flat) return decide(calibration, p, stop);
        const int32_t z0 = stretch(p);
        const int32_t gap = z0 - (log2_fixed(std::max(1u, rate_[j])) - 6144 + row_.log);
        const int32_t x[6] = {256, z0, row_.log, columns_.log(j), columns_.group_log(group),
                              std::min(1024, gap)};
        Mixer& mixer = mixer_[context];
        Offset& offset = group_offset_[group];
        const int64_t sum = mixer.dot(x) + row_offset_.value + offset.value;
        const int32_t z = static_cast<int32_t>(clamp<int64_t>(sum >> 16, -4095, 4095));
        const int32_t mixed = squash(z);
        const uint32_t mean = (calibration.get(z) + static_cast<uint32_t>(mixed >> 6) + 1) >> 1;
        const bool bit = coder_.decide(clamp<uint32_t>(mean, 1, 65534), stop);
        calibration.update(bit);
        const int32_t error = (bit ? 1 << 22 : 0) - mixed;
        mixer.update(x, error);
        row_offset_.update(error, mixed);
        offset.update(error, mixed);
        return bit;
    }

    // Count a trained position with the weight 16 rate / (1 - exp(-rate)).
    uint32_t record(uint32_t j, uint64_t rate) {
        const uint32_t h = static_cast<uint32_t>(std::min<uint64_t>(2047, rate >> 16));
        const uint32_t weight = 16 + (h >> 5) + (h * h * 85 >> 22);
        columns_.add(j, weight);
        levels_.add(level_[j], weight);
        return weight;
    }

    Coder& coder_;
    const Layout layout_;
    const Preset preset_;
    LevelRates levels_;
    ColumnFactors columns_;
    RowFactor row_;
    Array<uint32_t> pull_, rate_;  // of this row: by level; times the column's factor
    Array<Offset> group_offset_;
    Offset row_offset_;
    Mixer mixer_[5];
    Calibration superblock_, group_[2], position_[5];
    const uint8_t* level_ = nullptr;
    uint32_t first_ = 0, left_ = 0;
};

enum : int64_t { kDone = 0, kTooSmall = -1, kNotFound = -2, kNotCanonical = -3, kNoMemory = -4 };

FPK_CLONES FPK_FLATTEN int64_t encode(const uint32_t* base, const Layout& layout, uint8_t preset,
                                      const uint32_t* positions, Sink& sink) {
    Writer writer(sink, positions);
    Walk<Writer> walk(writer, base, layout, preset);
    if (!walk.ok()) return kNoMemory;
    walk.run();
    writer.finish();
    return sink.full() ? int64_t{kTooSmall} : static_cast<int64_t>(sink.length);
}

FPK_CLONES FPK_FLATTEN int64_t decode(const uint8_t* data, size_t length, const uint32_t* base,
                                      const Layout& layout, uint8_t preset, uint32_t* positions) {
    Reader reader(data, length, positions);
    Walk<Reader> walk(reader, base, layout, preset);
    if (!walk.ok()) return kNoMemory;
    if (!walk.run()) return kNotFound;
    return reader.canonical() ? kDone : kNotCanonical;
}

}  // namespace
}  // namespace fpk

// Encode `trained` >= 1 rising positions. Returns the length in bytes.
FPK_API int64_t fpk_hazard_encode(const uint32_t* base, uint32_t rows, uint32_t columns,
                                  uint32_t kernel, const uint32_t* positions, uint32_t trained,
                                  uint32_t preset, uint8_t* out, uint64_t capacity) {
    const fpk::Layout layout{rows, columns, kernel, trained};
    fpk::Sink sink(out, capacity);
    sink.push(static_cast<uint8_t>(preset));
    return fpk::encode(base, layout, static_cast<uint8_t>(preset), positions, sink);
}

// Decode a section of at least one byte into `trained` >= 1 positions. Returns 0 or an error.
FPK_API int64_t fpk_hazard_decode(const uint8_t* data, uint64_t length, const uint32_t* base,
                                  uint32_t rows, uint32_t columns, uint32_t kernel,
                                  uint32_t trained, uint32_t* positions) {
    const fpk::Layout layout{rows, columns, kernel, trained};
    return fpk::decode(data + 1, length - 1, base, layout, data[0], positions);
}
