// Index codec `probit`: trained positions given the base. Specification: formats/probit.md.
#include "common.h"
#include "probit_model.h"

namespace fpk {
namespace {

struct Matrix {
    uint32_t rows, columns, kernel, trained;
    size_t size() const { return size_t{rows} * columns; }
};

// Answers decisions from the trained positions, and codes them.
class Writer {
  public:
    Writer(Sink& out, const uint32_t* next) : coder_(out), next_(next) {}
    bool decide(uint32_t p, uint32_t position) {
        const bool bit = *next_ == position;
        next_ += bit;
        coder_.code(p, bit);
        return bit;
    }
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
    bool decide(uint32_t p, uint32_t position) {
        const bool bit = coder_.code(p);
        if (bit) *next_++ = position;
        return bit;
    }
    bool canonical() const { return coder_.canonical(); }

  private:
    BitDecoder coder_;
    uint32_t* next_;
};

template <class Coder>
class Walk {
  public:
    Walk(Coder& coder, const Levels& levels, const Matrix& matrix, const ProbitPreset& preset)
        : coder_(coder), levels_(levels), matrix_(matrix), preset_(preset),
          width_(matrix.kernel >= 2 && matrix.kernel <= 64 ? matrix.kernel : preset.width),
          column_(matrix.columns), group_(matrix.columns / width_ + 1), place_(width_) {
        if (!ok()) return;
        for (uint32_t j = 0; j < matrix.columns; ++j) column_[j].variance = preset.column;
        for (uint32_t g = 0; g <= matrix.columns / width_; ++g) group_[g].variance = preset.group;
        for (uint32_t i = 0; i < width_; ++i) place_[i].variance = preset.place;
        bias_ = {levels.find_bias(matrix.trained, preset.variance()), ProbitPreset::kBias};
    }

    bool ok() const { return levels_.ok() && column_.ok() && group_.ok() && place_.ok(); }

    // Return whether all trained positions were placed.
    bool run() {
        uint32_t left = matrix_.trained;
        for (uint32_t row = 0; row < matrix_.rows; ++row) {
            row_ = {0, preset_.row};
            for (uint32_t a = 0; a < matrix_.columns; a += width_)
                if (walk_cell(row * matrix_.columns, a, left)) return true;
        }
        return false;
    }

  private:
    bool walk_cell(uint32_t first, uint32_t from, uint32_t& left) {
        const uint32_t to = std::min(matrix_.columns, from + width_);
        const int32_t* level = levels_.from(first);
        Effect& group = group_[from / width_];
        cell_ = {0, preset_.cell};
        Sum shared = sum_shared(group);
        for (uint32_t j = from; j < to; ++j) {
            Effect &column = column_[j], &place = place_[j - from];
            const int64_t x = level[j] * 256 + shared.mean + column.mean + place.mean;
            const int64_t inverse =
                inverse_deviation(shared.variance + column.variance + place.variance);
            const int32_t t = standardize(x, inverse), z = look_up(kProbitLogit, t);
            const uint32_t plain = static_cast<uint32_t>(squash(z) >> 6);
            const uint32_t p = clamp<uint32_t>((calibration_.get(z) + plain + 1) >> 1, 1, 65534);
            const bool bit = coder_.decide(p, first + j);
            if (bit && --left == 0) return true;
            calibration_.update(bit);
            if (!bit && t <= kSurprise) continue;
            const int32_t side = bit ? t : -t;
            const int64_t pull = look_up(kProbitPull, side) * inverse >> 16;
            const int64_t loss = (look_up(kProbitGain, side) * inverse >> 16) * inverse >> 16;
            for (Effect* effect : {&bias_, &row_, &column, &group, &place, &cell_})
                effect->update(bit ? pull : -pull, loss);
            shared = sum_shared(group);
        }
        return false;
    }

    struct Sum {
        int64_t mean;
        uint64_t variance;
    };

    Sum sum_shared(const Effect& group) const {
        return {int64_t{bias_.mean} + row_.mean + group.mean + cell_.mean,
                uint64_t{preset_.noise} + bias_.variance + row_.variance + group.variance +
                    cell_.variance};
    }

    // A frozen position at this t or below teaches nothing.
    static constexpr int32_t kSurprise = -2816;

    Coder& coder_;
    const Levels& levels_;
    const Matrix matrix_;
    const ProbitPreset preset_;
    const uint32_t width_;
    Array<Effect> column_, group_, place_;
    Effect bias_, row_, cell_;
    Calibration calibration_;
};

enum : int64_t { kDone = 0, kTooSmall = -1, kNotFound = -2, kNotCanonical = -3, kNoMemory = -4 };

FPK_CLONES FPK_FLATTEN int64_t encode(const uint32_t* base, const Matrix& matrix,
                                      const ProbitPreset& preset, const uint32_t* positions,
                                      Sink& sink) {
    const Levels levels(base, matrix.size());
    Writer writer(sink, positions);
    Walk<Writer> walk(writer, levels, matrix, preset);
    if (!walk.ok()) return kNoMemory;
    walk.run();
    writer.finish();
    return sink.full() ? int64_t{kTooSmall} : static_cast<int64_t>(sink.length);
}

FPK_CLONES FPK_FLATTEN int64_t decode(const uint8_t* data, size_t length, const uint32_t* base,
                                      const Matrix& matrix, const ProbitPreset& preset,
                                      uint32_t* positions) {
    const Levels levels(base, matrix.size());
    Reader reader(data, length, positions);
    Walk<Reader> walk(reader, levels, matrix, preset);
    if (!walk.ok()) return kNoMemory;
    if (!walk.run()) return kNotFound;
    return reader.canonical() ? kDone : kNotCanonical;
}

}  // namespace
}  // namespace fpk

// Encode `trained` >= 1 rising positions. Returns the length in bytes.
FPK_API int64_t fpk_probit_encode(const uint32_t* base, uint32_t rows, uint32_t columns,
                                  uint32_t kernel, const uint32_t* positions, uint32_t trained,
                                  uint32_t first, uint32_t second, uint8_t* out,
                                  uint64_t capacity) {
    const fpk::Matrix matrix{rows, columns, kernel, trained};
    fpk::Sink sink(out, capacity);
    sink.push(static_cast<uint8_t>(first));
    sink.push(static_cast<uint8_t>(second));
    return fpk::encode(base, matrix, fpk::ProbitPreset(first, second), positions, sink);
}

// Decode a section of at least two bytes into `trained` >= 1 positions. Returns 0 or an error.
FPK_API int64_t fpk_probit_decode(const uint8_t* data, uint64_t length, const uint32_t* base,
                                  uint32_t rows, uint32_t columns, uint32_t kernel,
                                  uint32_t trained, uint32_t* positions) {
    const fpk::Matrix matrix{rows, columns, kernel, trained};
    const fpk::ProbitPreset preset(data[0], data[1]);
    return fpk::decode(data + 2, length - 2, base, matrix, preset, positions);
}
