// Draws in vectors of words (formats/generators.md, sections 3 to 5), for any instruction set.
//
// A class `Lanes` says how: V is a vector of LANES 32-bit words, UNROLL the number of vectors that
// are made together, so that the processor has independent work. Included between
// FPK_TARGET_BEGIN and FPK_TARGET_END; what is in it is private to the including file.

namespace {

template <class Lanes>
struct Draws {
    using V = typename Lanes::V;
    static constexpr int MANY = Lanes::UNROLL;
    static constexpr uint32_t STEP = MANY * Lanes::LANES;
    static_assert(GROUP % STEP == 0, "draw reads whole groups of words");

    static FPK_INLINE void uniform(V* k, const V* words) {
        // As signed numbers: (w >> 7) - 2^24 is the sum of the rule without its lowest bit.
        const V top = Lanes::set(0x80000000u), one = Lanes::set(1);
        for (int i = 0; i < MANY; i++)
            k[i] = Lanes::bit_or(Lanes::shift_right_signed7(Lanes::bit_xor(words[i], top)), one);
    }

    // Section 4, from "octave" on, for v = tails. With NEAR, no octave is beyond Lanes::NEAR.
    template <bool NEAR>
    static FPK_INLINE void horner(V* a, const V* octave, const V* tails,
                                  const typename Lanes::Table& table) {
        typename Lanes::Factor t[MANY];
        for (int i = 0; i < MANY; i++) {
            // The shift by octave + 1 in two steps: by 32 the first would not be defined.
            const V shifted = Lanes::shift_left_by(tails[i], octave[i]);
            t[i] = Lanes::factor(Lanes::add(shifted, shifted));
            a[i] = Lanes::template look<NEAR>(table, 5, octave[i]);
        }
        FPK_UNROLL
        for (int d = 4; d >= 0; d--)
            for (int i = 0; i < MANY; i++)
                a[i] = Lanes::sub(Lanes::template look<NEAR>(table, d, octave[i]),
                                  Lanes::mulhi(a[i], t[i]));
    }

    static FPK_INLINE void normal(V* k, const V* tails, const V* words,
                                  const typename Lanes::Table& table) {
        V octave[MANY];
        for (int i = 0; i < MANY; i++) octave[i] = Lanes::leading_zeros(tails[i]);
        if (Lanes::all_near(octave))
            horner<true>(k, octave, tails, table);
        else
            horner<false>(k, octave, tails, table);
        for (int i = 0; i < MANY; i++)
            k[i] = Lanes::negate_if_odd(Lanes::shift_right8(k[i]), words[i]);
    }

    template <uint32_t DRAW>
    static FPK_INLINE void integers(V* k, const V* words, const typename Lanes::Table& table,
                                    uint32_t tail) {
        if (DRAW == UNIFORM) return uniform(k, words);
        V tails[MANY];
        if (DRAW == NORMAL_DRAW) {
            const V one = Lanes::set(1);
            for (int i = 0; i < MANY; i++) tails[i] = Lanes::bit_or(words[i], one);
        } else {
            // ((w >> 1) * span) >> 31 is the upper half of (w with its lowest bit cleared) * span.
            const V least = Lanes::set(tail), even = Lanes::set(0xFFFFFFFEu);
            const auto span = Lanes::factor(Lanes::set(0u - tail));
            for (int i = 0; i < MANY; i++) {
                const V w = Lanes::bit_and(words[i], even);
                tails[i] = Lanes::add(least, Lanes::mulhi(w, span));
            }
        }
        normal(k, tails, words, table);
    }

    template <uint32_t DRAW, uint32_t DTYPE, size_t SIZE>
    static void run(unsigned char* out, const uint32_t* words, uint32_t count, float factor,
                    uint32_t tail) {
        const typename Lanes::Table table;
        const auto scale = Lanes::set_scale(factor);
        const auto step = [&](unsigned char* to, const uint32_t* from) FPK_INLINE_LAMBDA {
            V w[MANY], k[MANY];
            for (int i = 0; i < MANY; i++) w[i] = Lanes::load(from + i * Lanes::LANES);
            integers<DRAW>(k, w, table, tail);
            Lanes::template store<DTYPE>(to, k, scale);
        };
        uint32_t i = 0;
        for (; i + STEP <= count; i += STEP) step(out + i * SIZE, words + i);
        if (i < count) {
            alignas(64) unsigned char rest[STEP * SIZE];
            step(rest, words + i);
            std::memcpy(out + i * SIZE, rest, (count - i) * SIZE);
        }
    }

    template <uint32_t DRAW>
    static void run_dtype(unsigned char* out, const uint32_t* words, uint32_t count,
                          const Recipe& recipe) {
        const float factor = recipe.factor;
        const uint32_t tail = recipe.tail;
        switch (recipe.dtype) {
            case FLOAT32: return run<DRAW, FLOAT32, 4>(out, words, count, factor, tail);
            case FLOAT16: return run<DRAW, FLOAT16, 2>(out, words, count, factor, tail);
            case BFLOAT16: return run<DRAW, BFLOAT16, 2>(out, words, count, factor, tail);
            default: return run<DRAW, FLOAT64, 8>(out, words, count, factor, tail);
        }
    }

    // Kernels::draw.
    static void draw(void* out, const uint32_t* words, uint32_t count, const Recipe& recipe) {
        unsigned char* to = static_cast<unsigned char*>(out);
        switch (recipe.draw) {
            case UNIFORM: return run_dtype<UNIFORM>(to, words, count, recipe);
            case NORMAL_DRAW: return run_dtype<NORMAL_DRAW>(to, words, count, recipe);
            default: return run_dtype<TRUNCATED>(to, words, count, recipe);
        }
    }
};

}  // namespace
