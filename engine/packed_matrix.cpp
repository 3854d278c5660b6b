#include "engine/packed_matrix.h"

#include "engine/isa/kernels.h"
#include "engine/packed_gemm.h"

namespace plumb {
namespace {

void copy_rows(const MatrixView<float>& b, int64_t k, int64_t n, float* out) {
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < n; ++j) out[i * n + j] = b.data[b.transposed ? j * b.ld + i : i * b.ld + j];
}

}  // namespace

PackedMatrix::PackedMatrix(const MatrixView<float>& b, int64_t k, int64_t n) : PackedMatrix(kernels().gemm, b, k, n) {}

PackedMatrix::PackedMatrix(const GemmKernels& kernels, const MatrixView<float>& b, int64_t k, int64_t n)
    : rows_(k), columns_(n) {
  if (kernels.tile) {
    panels_ = empty({packed_elements(kernels, k, n)});
    pack_columns(kernels, b, k, {0, n}, panels_.mutable_data<float>());
  } else {
    panels_ = empty({k, n});
    copy_rows(b, k, n, panels_.mutable_data<float>());
  }
}

}  // namespace plumb
