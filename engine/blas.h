#pragma once

#include "engine/gemm.h"

namespace plumb {

/// gemm (engine/gemm.h) by the BLAS library. Large products are cut into tiles whose boundaries depend on the sizes
/// alone and run on the pool; BLAS itself stays on one thread, because its bits change with its thread count.
/// Throws ShapeError when k or a leading dimension does not fit BLAS's 32-bit integers.
template <class T>
void blas_gemm(const GemmSize& size, const MatrixView<T>& a, const MatrixView<T>& b, const GemmTarget<T>& c);

extern template void blas_gemm(const GemmSize&, const MatrixView<float>&, const MatrixView<float>&,
                               const GemmTarget<float>&);
extern template void blas_gemm(const GemmSize&, const MatrixView<double>&, const MatrixView<double>&,
                               const GemmTarget<double>&);

/// The processor kernels BLAS runs on ("SkylakeX", "Haswell", …); "unknown" when the library does not tell.
const char* blas_core_name();

}  // namespace plumb
