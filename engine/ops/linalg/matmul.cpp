#include "engine/ops/linalg/matmul.h"

#include <algorithm>

#include "engine/format.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/matmul_kernels.h"
#include "engine/ops/reduce/sum.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_operands(const Tensor& a, const Tensor& b) {
  require<ShapeError>(a.rank() > 0 && b.rank() > 0, "matmul: operands must have a dimension; {} and {}", a, b);
  require<DTypeError>(a.dtype() == b.dtype(), "matmul: operands must have one dtype; {} and {}", a, b);
  require<DTypeError>(a.dtype() != DType::boolean, "matmul: bool is not supported; {} and {}", a, b);
  const int64_t inner = b.shape()[b.rank() == 1 ? 0 : b.rank() - 2];
  require<ShapeError>(a.shape().back() == inner, "matmul: inner sizes must agree ({} and {}); {} and {}",
                      a.shape().back(), inner, a, b);
}

Shape without_last(const Shape& shape) { return Shape(shape.begin(), shape.rank() - 1); }
Shape without_last_two(const Shape& shape) { return Shape(shape.begin(), shape.rank() - 2); }

/// Whether the leading dimensions can be merged into the rows of one matrix without a copy.
bool can_merge_rows(const Tensor& x) {
  int64_t step = x.strides().back(1) * x.shape().back(1);
  for (int64_t d = x.rank() - 3; d >= 0; --d) {
    if (x.shape()[d] != 1 && x.strides()[d] != step) return false;
    step *= x.shape()[d];
  }
  return true;
}

/// The operand as it goes to the kernel: 16-bit floats widened on the CPU (CUDA multiplies them as they are, with sums
/// in f32), and copied if neither matrix dimension is dense.
Tensor prepare(const Tensor& x) {
  const Tensor wide = is_floating(x.dtype()) && x.device().is_cpu() ? x.to(acc_dtype(x.dtype())) : x;
  return matrix_layout(wide).valid ? wide : wide.contiguous();
}

/// Product of operands of rank 2 or more.
Tensor product(const Tensor& a, const Tensor& b) {
  Shape shape = broadcast_shapes("matmul", without_last_two(a.shape()), without_last_two(b.shape()));
  shape.push_back(a.shape().back(1));
  shape.push_back(b.shape().back());
  if (b.rank() == 2 && a.rank() > 2 && can_merge_rows(a))
    return reshape(product(reshape(a, {numel(without_last(a.shape())), a.shape().back()}), b), shape);
  const OpScope scope("matmul", a, b);
  const Tensor left = prepare(a), right = prepare(b);
  Tensor out = empty(shape, left.dtype(), a.device());
  scope.writes(out);
  scope.flops(2 * out.numel() * a.shape().back());
  if (out.numel() == 0) return out.to(a.dtype());
  if (a.shape().back() == 0)
    out.zero_();
  else
    on_device(a.device(), [&](auto backend) { matmul_kernel(backend, left, right, out); });
  return out.to(a.dtype());
}

Tensor as_rows(const Tensor& a) { return a.rank() == 1 ? unsqueeze(a, 0) : a; }
Tensor as_columns(const Tensor& b) { return b.rank() == 1 ? unsqueeze(b, 1) : b; }
Tensor transposed(const Tensor& x) { return transpose(x, -2, -1); }

/// The gradient with the dimensions that 1-D operands lost put back.
Tensor grad_as_matrix(const Tensor& grad, bool a_is_vector, bool b_is_vector) {
  Tensor g = b_is_vector ? unsqueeze(grad, -1) : grad;
  return a_is_vector ? unsqueeze(g, -2) : g;
}

/// The gradient of b when b is one matrix and a a batch of them: the batch and the rows are one long sum.
Tensor merged_right_gradient(const Tensor& grad, const Tensor& a) {
  const int64_t inner = a.shape().back(), columns = grad.shape().back();
  const int64_t rows = numel(without_last(a.shape()));
  return product(transposed(reshape(a, {rows, inner})), reshape(grad, {rows, columns}));
}

}  // namespace

MatrixLayout matrix_layout(const Tensor& x) {
  const int64_t rows = x.shape().back(1), columns = x.shape().back();
  const int64_t row_stride = x.strides().back(1), column_stride = x.strides().back();
  // A dimension of size 1 has no stride worth the name: any leading dimension that is large enough will do.
  if ((column_stride == 1 || columns <= 1) && (row_stride >= columns || rows <= 1))
    return {rows <= 1 ? std::max<int64_t>(columns, 1) : std::max<int64_t>(row_stride, 1), false, true};
  if ((row_stride == 1 || rows <= 1) && (column_stride >= rows || columns <= 1))
    return {columns <= 1 ? std::max<int64_t>(rows, 1) : std::max<int64_t>(column_stride, 1), true, true};
  return {};
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  check_operands(a, b);
  Tensor out = product(as_rows(a), as_columns(b));
  if (a.rank() > 1 && b.rank() > 1) return out;
  Shape shape = out.shape();
  if (b.rank() == 1) shape.erase(shape.rank() - 1);
  if (a.rank() == 1) shape.erase(b.rank() == 1 ? shape.rank() - 1 : shape.rank() - 2);
  return reshape(out, shape);
}

Tensor matmul_backward_a(const Tensor& grad, const Tensor& b, const Shape& a_shape) {
  const Tensor g = grad_as_matrix(grad, a_shape.rank() == 1, b.rank() == 1);
  Shape rows = a_shape;
  if (rows.rank() == 1) rows.insert(0, 1);
  return reshape(sum_to(product(g, transposed(as_columns(b))), rows), a_shape);
}

Tensor matmul_backward_b(const Tensor& grad, const Tensor& a, const Shape& b_shape) {
  const Tensor g = grad_as_matrix(grad, a.rank() == 1, b_shape.rank() == 1), left = as_rows(a);
  Shape columns = b_shape;
  if (columns.rank() == 1) columns.push_back(1);
  if (columns.rank() == 2 && left.rank() > 2) return reshape(merged_right_gradient(g, left), b_shape);
  return reshape(sum_to(product(transposed(left), g), columns), b_shape);
}

}  // namespace plumb
