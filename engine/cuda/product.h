#pragma once

#include <cstdint>

#include "engine/backend.h"
#include "engine/dtype.h"

namespace plumb {

/// A row-major matrix on the device, or its transpose; matrices of a batch are `batch_stride` elements apart (0: all
/// the same).
struct ProductOperand {
  const void* data = nullptr;
  int64_t ld = 1;
  bool transposed = false;
  int64_t batch_stride = 0;
};

struct ProductSize {
  int64_t m = 0, n = 0, k = 0;
  int64_t batch = 1;
};

/// out[batch, m, n] = a[m, k] b[k, n] + bias[n], all of `dtype`, f32 (without tensor cores: tf32 is off) or f64. out is
/// contiguous, m, n, batch > 0, k > 0; bias may be null, else batch is 1. Throws CudaError naming `op`.
/// cuBLASLt's; loaded by the first call, since loading it takes longer than most runs on the CPU (0.1 s, 540 MB).
void matrix_product(const char* op, const Cuda& cuda, DType dtype, const ProductSize& size, const ProductOperand& a,
                    const ProductOperand& b, const void* bias, void* out);  // wide: a BLAS call

}  // namespace plumb
