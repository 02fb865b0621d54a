// Bases drawn into memory, tile by tile. Single-threaded; Python splits the work.
#include "generate.h"

#include "narrow.h"

namespace {

uint64_t narrow(uint32_t bits, uint32_t dtype) {
    switch (dtype) {
        case FLOAT16: return to_float16(bits);
        case BFLOAT16: return to_bfloat16(bits);
        case FLOAT64: return to_float64(bits);
        default: return bits;
    }
}

// Pieces end at multiples of TILE of the stream, so that only the first starts inside a block, and
// no block number carries into its upper half.
inline uint32_t piece(uint64_t position, uint64_t left) {
    const uint64_t room = TILE - position % TILE;
    return static_cast<uint32_t>(room < left ? room : left);
}

template <class T>
void fill_constant(unsigned char* out, uint64_t count, T value) {
    T* to = reinterpret_cast<T*>(out);
    for (uint64_t i = 0; i < count; i++) to[i] = value;
}

}  // namespace

const uint32_t* Words::make(uint64_t start, uint32_t count) {
    const uint64_t block = start >> 2;
    const uint32_t high = static_cast<uint32_t>(block >> 32);
    if (high != rounds_.high) rounds_ = prepare_rounds(stream_, high);
    const uint32_t skip = static_cast<uint32_t>(start & 3u);
    const uint32_t blocks = (skip + count + 3) / 4;
    kernels_.words(words_, block, blocks, rounds_);
    // Words are read in groups from `skip` on: the last may end three words behind those written.
    std::memset(words_ + 4 * ((blocks + BLOCKS - 1) / BLOCKS * BLOCKS), 0, 16);
    return words_ + skip;
}

void Words::keep_apart(const void* out) {
    words_ = buffer_ + half_page_apart(buffer_, out) / 4;
}

Base::Base(Stream stream, uint32_t draw, uint32_t dtype, uint32_t bits, uint32_t tail)
    : kernels_(kernels()),
      recipe_{draw, dtype, 0, tail},
      itemsize_(dtype == FLOAT32 ? 4 : dtype == FLOAT64 ? 8 : 2),
      value_(narrow(bits, dtype)),
      words_(stream) {
    std::memcpy(&recipe_.factor, &bits, 4);
}

int32_t Base::problem() const {
    if (recipe_.draw > SIGN) return 1;
    return recipe_.dtype < FLOAT32 || recipe_.dtype > FLOAT64 ? 2 : 0;
}

void Base::fill(void* out, uint64_t start, uint64_t count) {
    unsigned char* to = static_cast<unsigned char*>(out);
    if (recipe_.draw == SIGN)
        fill_signs(to, start, count);
    else if (recipe_.draw != CONSTANT)
        fill_values(to, start, count);
    else if (itemsize_ == 2)
        fill_constant(to, count, static_cast<uint16_t>(value_));
    else if (itemsize_ == 4)
        fill_constant(to, count, static_cast<uint32_t>(value_));
    else
        fill_constant(to, count, value_);
}

void Base::fill_values(unsigned char* out, uint64_t start, uint64_t count) {
    words_.keep_apart(out);
    for (uint64_t done = 0; done < count;) {
        const uint32_t part = piece(start + done, count - done);
        const uint32_t* words = words_.make(start + done, part);
        kernels_.draw(out + done * itemsize_, words, part, recipe_);
        done += part;
    }
}

void Base::fill_signs(unsigned char* out, uint64_t start, uint64_t count) {
    const uint64_t stop = start + count;
    for (uint64_t at = start; at < stop;) {
        const uint64_t first = at / 32;
        const uint32_t have = piece(first, (stop - 1) / 32 - first + 1);
        const uint32_t* words = words_.make(first, have);
        for (uint32_t i = 0; i < have;) {
            const uint64_t begin = 32 * (first + i);
            const uint64_t left = stop - begin;
            if (at > begin || left < 32) {  // part of a word
                alignas(64) unsigned char all[32 * 8];
                kernels_.signs(all, words + i, 1, itemsize_, value_);
                const uint64_t end = left < 32 ? stop : begin + 32;
                std::memcpy(out + (at - start) * itemsize_, all + (at - begin) * itemsize_,
                            static_cast<size_t>((end - at) * itemsize_));
                at = end;
                i++;
            } else {
                const uint64_t whole = left / 32;
                const uint32_t some = whole < have - i ? static_cast<uint32_t>(whole) : have - i;
                kernels_.signs(out + (at - start) * itemsize_, words + i, some, itemsize_, value_);
                at += 32 * static_cast<uint64_t>(some);
                i += some;
            }
        }
    }
}

FPK_API void fpk_words(uint32_t* out, uint64_t start, uint64_t count, uint64_t key, uint64_t id) {
    Words words({key, id});
    for (uint64_t done = 0; done < count;) {
        const uint32_t part = piece(start + done, count - done);
        std::memcpy(out + done, words.make(start + done, part), 4 * size_t(part));
        done += part;
    }
}

// Python has checked every number; see Base::problem for what is returned.
FPK_API int32_t fpk_fill(void* out, uint64_t start, uint64_t count, uint64_t key, uint64_t id,
                         uint32_t draw, uint32_t dtype, uint32_t bits, uint32_t tail) {
    Base base({key, id}, draw, dtype, bits, tail);
    const int32_t problem = base.problem();
    if (problem == 0) base.fill(out, start, count);
    return problem;
}
