// Which instruction set is used: the best that the processor has, or the one that was asked for.
#include <atomic>

#include "kernels.h"

#if defined(FPK_X86)
#include <cpuid.h>
#endif

namespace {

enum Isa : uint32_t { PORTABLE = 0, AVX2 = 1, AVX512 = 2, AVX512_BF16 = 3, NEON = 4, ISAS = 5 };

#if defined(FPK_X86)
// Compilers know these two by different names or not at all. The system's part, saving registers,
// is that of AVX2 and AVX-512.
bool has_f16c() {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 29 & 1) != 0;
}

bool has_avx512_bf16() {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1) != 0;
}

bool has_avx512() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

// Returns the loops for an instruction set, or nullptr where they cannot run.
const Kernels* find(uint32_t isa) {
    if (isa == PORTABLE) return &PORTABLE_KERNELS;
#if defined(FPK_X86)
    __builtin_cpu_init();
    if (isa == AVX2 && __builtin_cpu_supports("avx2") && has_f16c()) return &AVX2_KERNELS;
    if (isa == AVX512 && has_avx512()) return &AVX512_KERNELS;
#endif
#if defined(FPK_AVX512_BF16)
    if (isa == AVX512_BF16 && has_avx512() && has_avx512_bf16()) return &AVX512_BF16_KERNELS;
#endif
#if defined(FPK_NEON)
    if (isa == NEON) return &NEON_KERNELS;
#endif
    return nullptr;
}

const Kernels* find_best() {
    uint32_t isa = ISAS - 1;
    while (find(isa) == nullptr) isa--;
    return find(isa);
}

std::atomic<const Kernels*> chosen{find_best()};

}  // namespace

const Kernels& kernels() { return *chosen.load(std::memory_order_relaxed); }

// Whether an instruction set can be used here: 1 or 0.
FPK_API int32_t fpk_has_isa(uint32_t isa) { return find(isa) != nullptr; }

FPK_API uint32_t fpk_isa() {
    uint32_t isa = 0;
    while (find(isa) != &kernels()) isa++;
    return isa;
}

// Uses an instruction set from now on, in all threads; 1 is one that cannot be used here.
FPK_API int32_t fpk_set_isa(uint32_t isa) {
    const Kernels* found = find(isa);
    if (found == nullptr) return 1;
    chosen.store(found, std::memory_order_relaxed);
    return 0;
}
