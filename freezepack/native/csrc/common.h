// What every source file of the kernel needs: exported C names and run-time dispatch.
#ifndef FREEZEPACK_COMMON_H
#define FREEZEPACK_COMMON_H

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(_WIN32)
#define FPK_API extern "C" __declspec(dllexport)
#else
#define FPK_API extern "C" __attribute__((visibility("default")))
#endif

// Several compiled versions of one loop, chosen when the library is loaded. This needs the ifunc
// of glibc and GCC 12 on x86-64; elsewhere the one portable version is compiled.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#if __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FPK_CLONES __attribute__((target_clones("default", "arch=x86-64-v4")))
#endif
#endif
#ifndef FPK_CLONES
#define FPK_CLONES
#endif

// On a function with FPK_CLONES: what it calls is compiled into it, so that this has clones too.
#if defined(__GNUC__)
#define FPK_FLATTEN __attribute__((flatten))
#else
#define FPK_FLATTEN
#endif

#endif
