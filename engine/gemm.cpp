#include "engine/gemm.h"

#include <type_traits>

#include "engine/blas.h"
#include "engine/isa/kernels.h"
#include "engine/packed_gemm.h"

namespace plumb {
namespace {

/// Measured with bench/engine/ops/gemm_bench.cpp: BLAS has kernels of its own for products that are thin in a
/// direction.
bool suits_packed(const GemmSize& size) { return size.m >= 4 && size.n >= 16 && size.k >= 16; }

}  // namespace

template <class T>
void gemm(const GemmSize& size, const MatrixView<T>& a, const MatrixView<T>& b, const GemmTarget<T>& c) {
  if (size.m == 0 || size.n == 0) return;
  if constexpr (std::is_same_v<T, float>) {
    const GemmKernels& ours = kernels().gemm;
    if (ours.tile && suits_packed(size)) return packed_gemm(ours, size, a, b, c);
  }
  blas_gemm(size, a, b, c);
}

template void gemm(const GemmSize&, const MatrixView<float>&, const MatrixView<float>&, const GemmTarget<float>&);
template void gemm(const GemmSize&, const MatrixView<double>&, const MatrixView<double>&, const GemmTarget<double>&);

}  // namespace plumb
