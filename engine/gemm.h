#pragma once

#include <cstdint>

#include "engine/fused_activation.h"

namespace plumb {

/// A matrix with one dense dimension: element (i, j) lies at data[i * ld + j], or at data[j * ld + i] when transposed.
template <class T>
struct MatrixView {
  const T* data = nullptr;
  int64_t ld = 1;
  bool transposed = false;
};

/// Sizes of a product: [m, k] times [k, n] gives [m, n].
struct GemmSize {
  int64_t m = 0, n = 0, k = 0;
};

/// The row-major matrix a product is written to: rows `ld` apart; what was there is overwritten, not read.
template <class T>
struct GemmTarget {
  T* data = nullptr;
  int64_t ld = 1;
  const T* bias = nullptr;                             // [n], added to every row; or null
  FusedActivation activation = FusedActivation::none;  // c = f(a b + bias), with the bits of the elementwise op
  T* derivative = nullptr;  // f'(a b + bias), rows `ld` apart as c's; or null. Not for relu: its output tells
};

/// c = a b (+ bias). T is float or double; a: [m, k] · b: [k, n] · c: [m, n]. Any size may be 0; with k = 0 the product
/// is zero. Runs on the pool, with the same bits for any number of threads.
///
/// Accuracy, against the exact value of the same operands (tests/engine/gemm_test.cpp, k up to 1030, all remainders of
/// tiles): |error| <= 5e-7 (sum over k of |a b| + |bias|) in float, by every path. AVX2 and AVX-512 have the same bits;
/// BLAS, the portable path, has others within that bound.
/// float on AVX2 or AVX-512: our packed kernels (engine/isa/gemm.cpp), but for thin shapes. The rest, and double: BLAS
/// (engine/blas.h). Which of the two depends on the sizes and on `transposed` alone.
/// Throws ShapeError when a size or leading dimension that goes to BLAS does not fit its 32-bit integers.
template <class T>
void gemm(const GemmSize& size, const MatrixView<T>& a, const MatrixView<T>& b, const GemmTarget<T>& c);

/// Whether gemm takes our own kernels for a float product of this size, so that one with a PackedMatrix has its bits.
bool gemm_packs(const GemmSize& size);

extern template void gemm(const GemmSize&, const MatrixView<float>&, const MatrixView<float>&,
                          const GemmTarget<float>&);
extern template void gemm(const GemmSize&, const MatrixView<double>&, const MatrixView<double>&,
                          const GemmTarget<double>&);

}  // namespace plumb
