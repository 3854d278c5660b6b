// Products are cuBLASLt's (engine/cuda/product.h), of 16-bit floats too, which stay what they are: sums are in f32 and
// rounded once. A batch whose operands step evenly is one call, any other broadcast one a matrix. Integers have no
// product here. An activation that cuBLASLt's epilogue does not know is a pass of its own (linear_act_cuda.cu).

#include "engine/cuda/product.h"
#include "engine/ops/copy/copy_kernels.h"
#include "engine/ops/elementwise/elementwise_kernels.h"
#include "engine/ops/linalg/linear_act_kernels.h"
#include "engine/ops/linalg/linear_kernels.h"
#include "engine/ops/linalg/matmul_kernels.h"
#include "engine/ops/reduce/sum_kernels.h"

namespace plumb {
namespace {

/// Where matrix number `index` of out's batch starts in an operand, in elements.
int64_t batch_offset(const Tensor& x, const Shape& out, int64_t index) {
  int64_t offset = 0;
  const int64_t lead = out.rank() - x.rank();
  for (int64_t d = out.rank() - 3; d >= 0; --d) {
    if (d >= lead && x.shape()[d - lead] != 1) offset += index % out[d] * x.strides()[d - lead];
    index /= out[d];
  }
  return offset;
}

/// The step between an operand's matrices if it is the same all along the batch; -1 otherwise.
int64_t even_step(const Tensor& x, const Shape& out, int64_t batch) {
  const int64_t step = batch > 1 ? batch_offset(x, out, 1) : 0;
  for (int64_t i = 2; i < batch; ++i)
    if (batch_offset(x, out, i) != i * step) return -1;
  return step;
}

ProductOperand operand_of(const Tensor& x, int64_t offset, int64_t step) {
  const MatrixLayout layout = matrix_layout(x);
  const char* data = static_cast<const char*>(x.raw_data()) + offset * size_of(x.dtype());
  return {data, layout.ld, layout.transposed, step};
}

void require_floats(const char* op, DType dtype) {
  if (!is_floating(dtype)) raise_unsupported_dtype(op, dtype);
}

}  // namespace

void matmul_kernel(Cuda cuda, const Tensor& a, const Tensor& b, Tensor& out) {
  require_floats("matmul", a.dtype());
  const ProductTypes types{a.dtype(), out.dtype()};
  const int64_t m = out.shape().back(1), n = out.shape().back(), k = a.shape().back(), batch = out.numel() / (m * n);
  const int64_t a_step = even_step(a, out.shape(), batch), b_step = even_step(b, out.shape(), batch);
  if (a_step >= 0 && b_step >= 0)
    return matrix_product("matmul", cuda, types, {m, n, k, batch}, operand_of(a, 0, a_step), operand_of(b, 0, b_step),
                          {}, out.raw_mutable_data());
  for (int64_t i = 0; i < batch; ++i)
    matrix_product("matmul", cuda, types, {m, n, k}, operand_of(a, batch_offset(a, out.shape(), i), 0),
                   operand_of(b, batch_offset(b, out.shape(), i), 0), {},
                   static_cast<char*>(out.raw_mutable_data()) + i * m * n * size_of(out.dtype()));
}

void linear_kernel(Cuda cuda, const LinearOperands& in, const LinearEpilogue& epilogue, Tensor& out) {
  require_floats("linear", out.dtype());
  const auto& [x, weight, bias] = in;
  const ProductSize size{out.shape()[0], out.shape()[1], x.shape()[1]};
  const bool fuses = !epilogue.derivative && product_knows(epilogue.activation, out.dtype()) && size.k > 0;
  const bool adds = !bias.defined() || product_adds_bias(out.dtype());
  if (size.k == 0) {
    bias.defined() ? copy_kernel(cuda, bias, out) : fill_kernel(cuda, out, 0);
  } else {
    ProductOperand matrix = operand_of(weight, 0, 0);
    matrix.transposed = !matrix.transposed;
    matrix_product("linear", cuda, {x.dtype(), out.dtype()}, size, operand_of(x, 0, 0), matrix,
                   {.bias = bias.defined() && adds ? bias.raw_data() : nullptr,
                    .activation = fuses && adds ? epilogue.activation : FusedActivation::none},
                   out.raw_mutable_data());
    if (!adds) binary_kernel(cuda, BinaryOp::add, out, bias, out);
  }
  if (epilogue.activation != FusedActivation::none && !(fuses && adds))
    activate_kernel(cuda, epilogue.activation, out, epilogue.derivative);
}

void column_sum_kernel(Cuda cuda, const Tensor& grad, Tensor& out) {
  sum_kernel(cuda, grad, reduction_layout(grad, 1), out);
}

}  // namespace plumb
