// Words and draws, the portable version: a transcription of formats/generators.md in plain loops
// that compilers turn into vector code. Single-threaded; Python splits the work.
#include "generate.h"
#include "normal_table.h"

namespace {

constexpr uint32_t TILE = 4096;  // elements made at a time; three such arrays fit the L1 cache
constexpr uint32_t LANES = 64;   // blocks advanced together, so that the rounds become vector code

enum Draw : uint32_t { CONSTANT = 0, UNIFORM = 1, NORMAL_DRAW = 2, TRUNCATED = 3, SIGN = 4 };
enum DType : uint32_t { FLOAT32 = 1, FLOAT16 = 2, BFLOAT16 = 3, FLOAT64 = 4 };

// Section 2. Writes whole groups of LANES blocks; TILE holds a whole number of them.
FPK_CLONES void philox(uint32_t* __restrict out, uint64_t block, uint32_t blocks, Stream stream) {
    for (uint32_t group = 0; group < blocks; group += LANES) {
        uint32_t a[LANES], b[LANES], c[LANES], d[LANES];
        uint32_t k0 = static_cast<uint32_t>(stream.key);
        uint32_t k1 = static_cast<uint32_t>(stream.key >> 32);
        for (uint32_t i = 0; i < LANES; i++) {
            const uint64_t n = block + group + i;
            a[i] = static_cast<uint32_t>(n);
            b[i] = static_cast<uint32_t>(n >> 32);
            c[i] = static_cast<uint32_t>(stream.id);
            d[i] = static_cast<uint32_t>(stream.id >> 32);
        }
        for (int round = 0; round < 10; round++) {
            for (uint32_t i = 0; i < LANES; i++) {
                const uint64_t p = static_cast<uint64_t>(a[i]) * 0xD2511F53u;
                const uint64_t q = static_cast<uint64_t>(c[i]) * 0xCD9E8D57u;
                a[i] = static_cast<uint32_t>(q >> 32) ^ b[i] ^ k0;
                c[i] = static_cast<uint32_t>(p >> 32) ^ d[i] ^ k1;
                b[i] = static_cast<uint32_t>(q);
                d[i] = static_cast<uint32_t>(p);
            }
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        for (uint32_t i = 0; i < LANES; i++) {
            uint32_t* words = out + 4 * (group + i);
            words[0] = a[i];
            words[1] = b[i];
            words[2] = c[i];
            words[3] = d[i];
        }
    }
}

inline uint32_t leading_zeros(uint32_t v) {  // v is not 0
#if defined(__GNUC__)
    return static_cast<uint32_t>(__builtin_clz(v));
#else
    uint32_t count = 0;
    while (!(v & 0x80000000u)) {
        v <<= 1;
        count++;
    }
    return count;
#endif
}

inline uint32_t mulhi(uint32_t a, uint32_t b) {
    return static_cast<uint32_t>((static_cast<uint64_t>(a) * b) >> 32);
}

// Section 3.
void uniform(int32_t* __restrict k, const uint32_t* __restrict words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) k[i] = 2 * static_cast<int32_t>(words[i] >> 8) - 16777215;
}

// Section 4, from "octave" on. The magnitude comes from v = tails | low, the sign from the word.
FPK_CLONES void normal(int32_t* __restrict k, const uint32_t* tails, uint32_t low,
                       const uint32_t* words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t v = tails[i] | low;
        const uint32_t e = leading_zeros(v);
        const uint32_t t = static_cast<uint32_t>(static_cast<uint64_t>(v) << (e + 1));
        uint32_t a = NORMAL[5][e];
        a = NORMAL[4][e] - mulhi(a, t);
        a = NORMAL[3][e] - mulhi(a, t);
        a = NORMAL[2][e] - mulhi(a, t);
        a = NORMAL[1][e] - mulhi(a, t);
        a = NORMAL[0][e] - mulhi(a, t);
        const int32_t minus = -static_cast<int32_t>(words[i] & 1u);
        k[i] = (static_cast<int32_t>(a >> 8) ^ minus) - minus;
    }
}

// Section 5: the tail probability of a truncated normal.
void truncate(uint32_t* __restrict v, const uint32_t* __restrict words, uint32_t count,
              uint32_t tail) {
    const uint32_t span = 0u - tail;  // 2^32 - tail
    for (uint32_t i = 0; i < count; i++)
        v[i] = tail + static_cast<uint32_t>((static_cast<uint64_t>(words[i] >> 1) * span) >> 31);
}

inline uint32_t pattern(int32_t k, float factor) {
    const float value = static_cast<float>(k) * factor;
    uint32_t x;
    std::memcpy(&x, &value, 4);
    return x;
}

inline uint16_t to_bfloat16(uint32_t x) {
    return static_cast<uint16_t>((x + 0x7FFFu + ((x >> 16) & 1u)) >> 16);
}

inline uint16_t to_float16(uint32_t x) {
    const uint32_t sign = (x >> 16) & 0x8000u;
    const uint32_t size = x & 0x7FFFFFFFu;
    uint32_t shift = 13, body = size - 0x38000000u;
    if (size < 0x38800000u) {  // below 2^-14: subnormal, in units of 2^-24
        const uint32_t down = 126u - (size >> 23);
        shift = down < 31u ? down : 31u;
        body = (size & 0x7FFFFFu) | 0x800000u;
    }
    uint32_t y = (body + (1u << (shift - 1)) - 1u + ((body >> shift) & 1u)) >> shift;
    if (size >= 0x47800000u) y = 0x7C00u;
    return static_cast<uint16_t>(y | sign);
}

// Exact, whatever the processor does with subnormal numbers.
inline uint64_t to_float64(uint32_t x) {
    const uint64_t sign = static_cast<uint64_t>(x & 0x80000000u) << 32;
    uint64_t size = x & 0x7FFFFFFFu;
    if (size == 0) return sign;
    if (size >= 0x800000u) return sign | ((size << 29) + (UINT64_C(896) << 52));
    const uint32_t top = 31 - leading_zeros(static_cast<uint32_t>(size));
    size = (size << (52 - top)) & ((UINT64_C(1) << 52) - 1);
    return sign | (static_cast<uint64_t>(top + 1023 - 149) << 52) | size;
}

template <class T>
inline T* at(void* out, uint64_t done) {
    return static_cast<T*>(out) + done;
}

// Section 7. `out` is the caller's array, `done` the elements already there.
bool store(void* out, uint64_t done, uint32_t dtype, const int32_t* k, uint32_t count, float factor) {
    if (dtype == FLOAT32) {
        float* to = at<float>(out, done);
        for (uint32_t i = 0; i < count; i++) to[i] = static_cast<float>(k[i]) * factor;
    } else if (dtype == BFLOAT16) {
        uint16_t* to = at<uint16_t>(out, done);
        for (uint32_t i = 0; i < count; i++) to[i] = to_bfloat16(pattern(k[i], factor));
    } else if (dtype == FLOAT16) {
        uint16_t* to = at<uint16_t>(out, done);
        for (uint32_t i = 0; i < count; i++) to[i] = to_float16(pattern(k[i], factor));
    } else if (dtype == FLOAT64) {
        double* to = at<double>(out, done);
        for (uint32_t i = 0; i < count; i++) {
            const float value = static_cast<float>(k[i]) * factor;
            to[i] = static_cast<double>(value);
        }
    } else {
        return false;
    }
    return true;
}

struct Words {
    alignas(64) uint32_t buffer[TILE];

    // Returns words `start` to `start + count - 1`, all in one tile of the stream.
    const uint32_t* make(uint64_t start, uint32_t count, Stream stream) {
        const uint32_t skip = static_cast<uint32_t>(start & 3u);
        philox(buffer, start >> 2, (skip + count + 3) / 4, stream);
        return buffer + skip;
    }
};

// Pieces end at multiples of TILE of the stream, so that only the first starts inside a block.
inline uint32_t piece(uint64_t position, uint64_t left) {
    const uint64_t room = TILE - position % TILE;
    return static_cast<uint32_t>(room < left ? room : left);
}

template <class T>
void signs(T* out, uint64_t start, uint64_t count, Stream stream, T value) {
    Words words;
    for (uint64_t done = 0; done < count;) {
        const uint64_t first = (start + done) / 32;
        const uint32_t skip = static_cast<uint32_t>((start + done) % 32);
        const uint64_t left = (skip + (count - done) + 31) / 32;
        const uint32_t have = piece(first, left);
        const uint32_t* word = words.make(first, have, stream);
        const uint64_t room = 32 * static_cast<uint64_t>(have) - skip;
        const uint64_t part = room < count - done ? room : count - done;
        for (uint64_t i = 0; i < part; i++) {
            const T bit = static_cast<T>((word[(skip + i) / 32] >> ((skip + i) % 32)) & 1u);
            out[done + i] = static_cast<T>(value | static_cast<T>(bit << (8 * sizeof(T) - 1)));
        }
        done += part;
    }
}

template <class T>
void constants(T* out, uint64_t count, T value) {
    for (uint64_t i = 0; i < count; i++) out[i] = value;
}

// Draws of one value: all elements have it, or it or its negative as their bit says.
int32_t fill_two(void* out, uint64_t start, uint64_t count, Stream stream, bool sign,
                 uint32_t dtype, uint32_t bits) {
    const auto work = [&](auto* to, auto value) {
        if (sign)
            signs(to, start, count, stream, value);
        else
            constants(to, count, value);
        return 0;
    };
    switch (dtype) {
        case FLOAT32: return work(static_cast<uint32_t*>(out), bits);
        case FLOAT16: return work(static_cast<uint16_t*>(out), to_float16(bits));
        case BFLOAT16: return work(static_cast<uint16_t*>(out), to_bfloat16(bits));
        case FLOAT64: return work(static_cast<uint64_t*>(out), to_float64(bits));
        default: return 2;
    }
}

}  // namespace

FPK_API void fpk_words(uint32_t* out, uint64_t start, uint64_t count, uint64_t key, uint64_t id) {
    Words words;
    for (uint64_t done = 0; done < count;) {
        const uint32_t part = piece(start + done, count - done);
        std::memcpy(out + done, words.make(start + done, part, {key, id}), 4 * size_t(part));
        done += part;
    }
}

int32_t fill(void* out, uint64_t start, uint64_t count, Stream stream, uint32_t draw,
             uint32_t dtype, uint32_t bits, uint32_t tail) {
    if (draw == CONSTANT || draw == SIGN)
        return fill_two(out, start, count, stream, draw == SIGN, dtype, bits);
    Words words;
    alignas(64) uint32_t v[TILE];
    alignas(64) int32_t k[TILE];
    float factor;
    std::memcpy(&factor, &bits, 4);
    for (uint64_t done = 0; done < count;) {
        const uint32_t part = piece(start + done, count - done);
        const uint32_t* w = words.make(start + done, part, stream);
        if (draw == UNIFORM) {
            uniform(k, w, part);
        } else if (draw == NORMAL_DRAW) {
            normal(k, w, 1, w, part);
        } else if (draw == TRUNCATED) {
            truncate(v, w, part, tail);
            normal(k, v, 0, w, part);
        } else {
            return 1;
        }
        if (!store(out, done, dtype, k, part, factor)) return 2;
        done += part;
    }
    return 0;
}

FPK_API int32_t fpk_fill(void* out, uint64_t start, uint64_t count, uint64_t key, uint64_t id,
                         uint32_t draw, uint32_t dtype, uint32_t bits, uint32_t tail) {
    return fill(out, start, count, {key, id}, draw, dtype, bits, tail);
}
