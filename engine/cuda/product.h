#pragma once

#include <cstdint>

#include "engine/backend.h"
#include "engine/dtype.h"
#include "engine/fused_activation.h"

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

/// Of a and b, and of out: f32 and f64 (the same on both sides), or bf16 and f16 with out of the same type or f32.
struct ProductTypes {
  DType in = DType::f32, out = DType::f32;
};

/// What is done to a sum before it is rounded and stored.
struct ProductEpilogue {
  const void* bias = nullptr;  // [n], of out's type; or null
  FusedActivation activation = FusedActivation::none;
};

/// Whether an epilogue of products with results of type `out` knows the activation, to the accuracy of that type:
/// cuBLASLt has relu, and a gelu of the tanh form that is good enough for 16 bits.
constexpr bool product_knows(FusedActivation activation, DType out) {
  if (activation == FusedActivation::gelu_tanh) return size_of(out) == 2;
  return activation == FusedActivation::none || (activation == FusedActivation::relu && out != DType::f64);
}
/// Whether it knows a bias: f64 is left out.
constexpr bool product_adds_bias(DType out) { return out != DType::f64; }

/// out[batch, m, n] = activation(a[m, k] b[k, n] + bias[n]), with sums in f32 (f64 for f64) and rounded once; f32
/// without tensor cores (tf32 is off), 16 bits with. out is contiguous, m, n, batch > 0, k > 0; with a bias, batch is
/// 1. Throws CudaError naming `op`.
/// cuBLASLt's; loaded by the first call, since loading it takes longer than most runs on the CPU (0.1 s, 540 MB).
void matrix_product(const char* op, const Cuda& cuda, const ProductTypes& types, const ProductSize& size,
                    const ProductOperand& a, const ProductOperand& b, const ProductEpilogue& epilogue,
                    void* out);  // wide: a BLAS call

}  // namespace plumb
