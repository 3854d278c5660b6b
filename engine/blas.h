#pragma once

#include <cstdint>

namespace plumb {

/// A matrix as BLAS reads it: element (i, j) lies at data[i * ld + j], or at data[j * ld + i] when transposed.
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

/// The matrix a product is written to (row-major, rows `ld` apart) and how.
template <class T>
struct GemmTarget {
  T* data = nullptr;
  int64_t ld = 1;
  T alpha = 1;
  T beta = 0;               // 0: what was there is overwritten, not read
  const T* bias = nullptr;  // [n]: every row starts as this one instead; beta must be 0
};

/// c = alpha * a b + beta * c, or alpha * a b + bias. T is float or double; a: [m, k] · b: [k, n] · c: [m, n].
/// Any size may be 0; with k = 0 the product is zero. Large products are cut into tiles whose boundaries depend on the
/// sizes alone and run on the pool; BLAS itself stays on one thread, because its bits change with its thread count.
/// Throws ShapeError when k or a leading dimension does not fit BLAS's 32-bit integers.
template <class T>
void gemm(const GemmSize& size, const MatrixView<T>& a, const MatrixView<T>& b, const GemmTarget<T>& c);

extern template void gemm(const GemmSize&, const MatrixView<float>&, const MatrixView<float>&,
                          const GemmTarget<float>&);
extern template void gemm(const GemmSize&, const MatrixView<double>&, const MatrixView<double>&,
                          const GemmTarget<double>&);

/// The processor kernels BLAS runs on ("SkylakeX", "Haswell", …); "unknown" when the library does not tell.
const char* blas_core_name();

}  // namespace plumb
