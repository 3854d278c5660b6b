#pragma once

#include <cstdint>

// The only header, beside math.h and the plain structs of function pointers in engine/isa/, that a kernel compiled
// several times may include. See engine/isa/kernels.h for how such a kernel is written.

/// Namespace of the instruction set this file is compiled for: portable, avx2 or avx512.
#ifndef PLUMB_ISA
#define PLUMB_ISA portable
#endif

namespace plumb::PLUMB_ISA {
namespace {

/// for (i = 0; i < count; ++i) body(i), with the promise that no iteration reads what another one writes (input and
/// output may be the very same array). Without it the compiler must guess and guard against overlap.
template <class F>
[[gnu::always_inline]] inline void vector_loop(int64_t count, F body) {
#if defined(__clang__)
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
  for (int64_t i = 0; i < count; ++i) body(i);
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
