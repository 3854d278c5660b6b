#include "engine/isa/kernels.h"

#include <cstdlib>
#include <cstring>

#include "engine/config.h"
#include "engine/isa/variants.h"
#include "engine/require.h"

namespace plumb {
namespace {

const Kernels kPortable{"portable",
                        portable::elementwise_kernels,
                        portable::gemm_kernels,
                        portable::optim_kernels,
                        portable::peak_kernels,
                        portable::random_kernels,
                        portable::reduce_kernels,
                        portable::winograd_kernels};

const Kernels* find_x86(const char* name) {
  if constexpr (kHasX86Variants) {
#if defined(__x86_64__)
    // The compiler's run-time checks cover the operating system's support for the registers too.
    static const Kernels with_avx2{"avx2",
                                   avx2::elementwise_kernels,
                                   avx2::gemm_kernels,
                                   avx2::optim_kernels,
                                   avx2::peak_kernels,
                                   avx2::random_kernels,
                                   avx2::reduce_kernels,
                                   avx2::winograd_kernels};
    static const Kernels with_avx512{"avx512",
                                     avx512::elementwise_kernels,
                                     avx512::gemm_kernels,
                                     avx512::optim_kernels,
                                     avx512::peak_kernels,
                                     avx512::random_kernels,
                                     avx512::reduce_kernels,
                                     avx512::winograd_kernels};
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (has_avx512 && std::strcmp(name, with_avx512.name) == 0) return &with_avx512;
    if (has_avx2 && std::strcmp(name, with_avx2.name) == 0) return &with_avx2;
#endif
  }
  return nullptr;
}

const Kernels& choose() {
  if (const char* wanted = std::getenv("PLUMB_ISA"); wanted && *wanted) {
    const Kernels* found = find_kernels(wanted);
    require<ValueError>(found != nullptr,
                        "kernels: PLUMB_ISA must be portable, avx2 or avx512, and within what this processor has ({})",
                        wanted);
    return *found;
  }
  if (const Kernels* found = find_kernels("avx512")) return *found;
  if (const Kernels* found = find_kernels("avx2")) return *found;
  return kPortable;
}

}  // namespace

const Kernels* find_kernels(const char* name) {
  return std::strcmp(name, kPortable.name) == 0 ? &kPortable : find_x86(name);
}

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace plumb
