// Stands in for engine/cuda/product.cpp, and with it for cuBLASLt: plain loops over the very arguments it would get,
// with sums in double. What cuBLASLt has no way to do is refused.

#include "tests/support/cuda_emulator/product.h"

#include "engine/cuda/check.cuh"
#include "engine/cuda/element.cuh"
#include "engine/ops/elementwise/activation_functors.h"

namespace plumb {
namespace {

int calls = 0;
ProductEpilogue last;

double element(const ProductOperand& x, DType dtype, int64_t batch, int64_t row, int64_t column) {
  const int64_t at = batch * x.batch_stride + (x.transposed ? column * x.ld + row : row * x.ld + column);
  return load_element<double>(x.data, dtype, at);
}

double activated(FusedActivation activation, double x) {
  if (activation == FusedActivation::relu) return PLUMB_ISA::Relu::forward(x);
  return activation == FusedActivation::gelu_tanh ? PLUMB_ISA::GeluTanh::forward(x) : x;
}

void multiply(const ProductTypes& types, const ProductSize& size, const ProductOperand& a, const ProductOperand& b,
              const ProductEpilogue& epilogue, void* out) {
  for (int64_t batch = 0; batch < size.batch; ++batch)
    for (int64_t i = 0; i < size.m; ++i)
      for (int64_t j = 0; j < size.n; ++j) {
        double sum = epilogue.bias ? load_element<double>(epilogue.bias, types.out, j) : 0;
        for (int64_t k = 0; k < size.k; ++k)
          sum += element(a, types.in, batch, i, k) * element(b, types.in, batch, k, j);
        store_element(out, types.out, (batch * size.m + i) * size.n + j, activated(epilogue.activation, sum));
      }
}

bool is_supported(const ProductTypes& types, const ProductSize& size, const ProductEpilogue& epilogue) {
  const bool same = types.in == types.out, narrow = size_of(types.in) == 2;
  return is_floating(types.in) && (same || (narrow && types.out == DType::f32)) && size.m > 0 && size.n > 0 &&
         size.k > 0 && size.batch > 0 && product_knows(epilogue.activation, types.out) &&
         (!epilogue.bias || (product_adds_bias(types.out) && size.batch == 1));
}

}  // namespace

// wide: as it is declared
void matrix_product(const char* op, const Cuda& cuda, const ProductTypes& types, const ProductSize& size,
                    const ProductOperand& a, const ProductOperand& b, const ProductEpilogue& epilogue, void* out) {
  if (!is_supported(types, size, epilogue)) raise_cuda(op, "CUBLAS_STATUS_NOT_SUPPORTED", "cuBLASLt refused");
  ++calls;
  last = epilogue;
  check_cuda(op, emulator::submit(static_cast<cudaStream_t>(cuda.stream),
                                  [=] { multiply(types, size, a, b, epilogue, out); }));
}

int emulator::product_calls() { return calls; }
const ProductEpilogue& emulator::last_product_epilogue() { return last; }

}  // namespace plumb
