#include "engine/gemm.h"

#include <algorithm>
#include <type_traits>

#include "engine/blas.h"
#include "engine/gemm_epilogue.h"
#include "engine/isa/kernels.h"
#include "engine/packed_gemm.h"
#include "engine/packed_matrix.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

using namespace PLUMB_ISA;

template <class F, class T>
void activate_rows(const GemmSize& size, const GemmTarget<T>& c) {
  constexpr int64_t kGrain = 4096;  // elements: activations are slow
  parallel_for(size.m, std::max<int64_t>(1, kGrain / size.n), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      activate_row<F>(c.data + i * c.ld, c.derivative ? c.derivative + i * c.ld : nullptr, size.n);
  });
}

/// BLAS knows no activations.
template <class T>
void blas_then_activate(const GemmSize& size, const MatrixView<T>& a, const MatrixView<T>& b, const GemmTarget<T>& c) {
  blas_gemm(size, a, b, c);
  switch (c.activation) {
    case FusedActivation::none:
      return;
    case FusedActivation::relu:
      return activate_rows<Relu>(size, c);
    case FusedActivation::silu:
      return activate_rows<Silu>(size, c);
    case FusedActivation::gelu:
      return activate_rows<Gelu>(size, c);
    case FusedActivation::gelu_tanh:
      return activate_rows<GeluTanh>(size, c);
  }
}

}  // namespace

/// Measured with bench/engine/ops/gemm_bench.cpp: BLAS has kernels of its own for products that are thin in a direction
/// (100 GB/s for 512x2x128, four times ours; but of three rows it makes a third of our speed).
bool gemm_packs(const GemmSize& size) { return kernels().gemm.tile && size.m >= 3 && size.n >= 16 && size.k >= 16; }

template <class T>
void gemm(const GemmSize& size, const MatrixView<T>& a, const MatrixView<T>& b, const GemmTarget<T>& c) {
  if (size.m == 0 || size.n == 0) return;
  if constexpr (std::is_same_v<T, float>) {
    if (gemm_packs(size)) return packed_gemm(kernels().gemm, size, a, b, c);
  }
  blas_then_activate(size, a, b, c);
}

template void gemm(const GemmSize&, const MatrixView<float>&, const MatrixView<float>&, const GemmTarget<float>&);
template void gemm(const GemmSize&, const MatrixView<double>&, const MatrixView<double>&, const GemmTarget<double>&);

void gemm(int64_t m, const MatrixView<float>& a, const PackedMatrix& b, const GemmTarget<float>& c) {
  if (m == 0) return;
  const GemmSize size{m, b.columns(), b.rows()};
  const GemmKernels& ours = kernels().gemm;
  if (!ours.tile) return blas_then_activate(size, a, {b.panels(), b.columns()}, c);
  packed_gemm(ours, size, a, b, c);
}

}  // namespace plumb
