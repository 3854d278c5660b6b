#include "engine/ops/linalg/linear.h"

#include "engine/format.h"
#include "engine/ops/elementwise/activate.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/linear_kernels.h"
#include "engine/ops/linalg/matmul.h"
#include "engine/ops/linalg/matmul_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_dtypes(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  require<DTypeError>(is_floating(x.dtype()), "linear: takes floating tensors; {}", x);
  require<DTypeError>(x.dtype() == weight.dtype() && (!bias.defined() || bias.dtype() == x.dtype()),
                      "linear: operands must have one dtype; x {}, weight {}, bias {}", x, weight, bias);
}

void check_shapes(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  require<ShapeError>(weight.rank() == 2 && x.rank() > 0,
                      "linear: x must be [..., in], weight [out, in]; x {}, weight {}", x, weight);
  require<ShapeError>(x.shape().back() == weight.shape()[1],
                      "linear: x must have in features last (expected {}, got {}); x {}, weight {}", weight.shape()[1],
                      x.shape().back(), x, weight);
  require<ShapeError>(!bias.defined() || bias.shape() == Shape{weight.shape()[0]},
                      "linear: bias must be [out] (out is {}); bias {}, weight {}", weight.shape()[0], bias, weight);
}

/// What products take: 16-bit floats as they are on CUDA, whose sums are in f32 all the same; widened on the CPU.
DType product_dtype(const Tensor& x) { return x.device().is_cuda() ? x.dtype() : acc_dtype(x.dtype()); }

/// x as [rows, features], in the type the product takes, with a dense dimension.
Tensor as_matrix(const Tensor& x) {
  const int64_t features = x.shape().back();
  int64_t rows = 1;
  for (int64_t d = 0; d < x.rank() - 1; ++d) rows *= x.shape()[d];
  const Tensor wide = x.to(product_dtype(x));
  const Tensor matrix = wide.rank() == 2 ? wide : reshape(wide, {rows, features});
  return matrix_layout(matrix).valid ? matrix : matrix.contiguous();
}

/// The result in the type the product gives.
Tensor wide_linear(const Tensor& x, const Tensor& weight, const Tensor& bias, const LinearEpilogue& epilogue) {
  const OpScope scope(epilogue.activation == FusedActivation::none ? "linear" : "linear_act", x, weight, bias);
  check_dtypes(x, weight, bias);
  check_shapes(x, weight, bias);
  const Tensor input = as_matrix(x), matrix = as_matrix(weight);
  const Tensor offset = bias.defined() ? bias.to(input.dtype()).contiguous() : bias;
  Shape shape = x.shape();
  shape[shape.rank() - 1] = weight.shape()[0];
  Tensor out = empty(shape, input.dtype(), x.device());
  scope.writes(out);
  scope.flops(2 * out.numel() * weight.shape()[1]);
  if (epilogue.derivative) {
    *epilogue.derivative = empty(shape, input.dtype(), x.device());
    scope.writes(*epilogue.derivative);
  }
  if (out.numel() == 0) return out;
  Tensor rows = reshape(out, {input.shape()[0], weight.shape()[0]});
  on_device(x.device(), [&](auto backend) { linear_kernel(backend, {input, matrix, offset}, epilogue, rows); });
  return out;
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return wide_linear(x, weight, bias, {}).to(x.dtype());
}

Tensor linear_act(const Tensor& x, const Tensor& weight, const Tensor& bias, FusedActivation activation) {
  if (product_dtype(x) != x.dtype()) return activate(linear(x, weight, bias), activation);
  return wide_linear(x, weight, bias, {activation});
}

Tensor linear_act(const Tensor& x, const Tensor& weight, const Tensor& bias, FusedActivation activation,
                  Tensor& derivative) {
  require<DTypeError>(x.dtype() == DType::f32 || x.dtype() == DType::f64,
                      "linear_act: keeps the derivative of f32 or f64; {}", x);
  require<ValueError>(activation != FusedActivation::none && activation != FusedActivation::relu,
                      "linear_act: keeps the derivative of silu and gelu alone; {}", x);
  return wide_linear(x, weight, bias, {activation, &derivative});
}

Tensor linear_act_backward(const Tensor& grad, const Tensor& derivative, Tensor& out) {
  const OpScope scope("linear_act_backward", grad, derivative);
  require<ShapeError>(grad.rank() > 0 && grad.shape() == derivative.shape() && grad.shape() == out.shape(),
                      "linear_act_backward: gradient, derivative and result must have one shape; {}, {}, {}", grad,
                      derivative, out);
  require<ValueError>(grad.is_contiguous() && derivative.is_contiguous() && out.is_contiguous(),
                      "linear_act_backward: takes contiguous tensors; {}, {}, {}", grad, derivative, out);
  Tensor sum = empty({grad.shape().back()}, grad.dtype(), grad.device());
  scope.elementwise(out, 2);
  scope.writes(sum);
  if (sum.numel() > 0)
    on_device(grad.device(), [&](auto backend) { scale_and_column_sum_kernel(backend, grad, derivative, out, sum); });
  return sum;
}

Tensor linear_backward_x(const Tensor& grad, const Tensor& weight) {
  Shape shape = grad.shape();
  shape[shape.rank() - 1] = weight.shape()[1];
  return reshape(matmul(as_matrix(grad), as_matrix(weight)).to(grad.dtype()), shape);
}

Tensor linear_backward_weight(const Tensor& grad, const Tensor& x) {
  return matmul(transpose(as_matrix(grad), 0, 1), as_matrix(x)).to(grad.dtype());
}

Tensor linear_backward_bias(const Tensor& grad) {
  const OpScope scope("linear_backward_bias", grad);
  const Tensor rows = as_matrix(grad);
  const Tensor dense = rows.strides()[1] == 1 ? rows : rows.contiguous();
  Tensor out = empty({rows.shape()[1]}, rows.dtype(), grad.device());
  scope.writes(out);
  scope.flops(grad.numel());
  if (out.numel() > 0) on_device(grad.device(), [&](auto backend) { column_sum_kernel(backend, dense, out); });
  return out.to(grad.dtype());
}

}  // namespace plumb
