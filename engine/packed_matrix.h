#pragma once

#include <cstdint>

#include "engine/gemm.h"
#include "engine/isa/gemm_kernels.h"
#include "engine/tensor.h"

namespace plumb {

/// The right-hand matrix of a product in the order the micro-kernels read it, packed once and multiplied often. A copy:
/// what it was made from may change or go away. Copying the handle shares the memory.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// b: [k, n], both at least 1. The second form is for the kernels of another instruction set than the one in use.
  PackedMatrix(const MatrixView<float>& b, int64_t k, int64_t n);
  PackedMatrix(const GemmKernels& kernels, const MatrixView<float>& b, int64_t k, int64_t n);

  bool defined() const { return panels_.defined(); }
  int64_t rows() const { return rows_; }        ///< k
  int64_t columns() const { return columns_; }  ///< n
  int64_t bytes() const { return panels_.numel() * int64_t(sizeof(float)); }

  /// [ceil(n / width), k, width] with zeros beyond column n. width is the kernels' tile, or n where there are none.
  const float* panels() const { return panels_.data<float>(); }

 private:
  Tensor panels_;
  int64_t rows_ = 0, columns_ = 0;
};

/// c = a b (+ bias) for a: [m, b.rows()] and c: [m, b.columns()]; m may be 0. On our own kernels for any m, with the
/// bits that gemm gives the same matrices whenever it takes those kernels (engine/gemm.h); without them by BLAS. Never
/// slower than gemm, and up to 1.8 times as fast for a few rows of a transposed b.
void gemm(int64_t m, const MatrixView<float>& a, const PackedMatrix& b, const GemmTarget<float>& c);

}  // namespace plumb
