#include "engine/ops/layout/view.h"

#include "autograd/ops/layout.h"
#include "autograd/record.h"
#include "engine/ops/reduce/sum.h"

namespace plumb {
namespace {

/// An op whose gradient is the same elements under x's shape.
Variable record_reshape(const char* name, const Variable& x, Tensor y) {
  return record(name, std::move(y), {x}, save(),
                [shape = x.shape()](const Saved&, const Tensor& grad, Needs) { return Grads(reshape(grad, shape)); });
}

}  // namespace

Variable reshape(const Variable& x, const Shape& shape) {
  return record_reshape("reshape", x, reshape(x.value(), shape));
}

Variable flatten(const Variable& x, int64_t start, int64_t end) {
  return record_reshape("flatten", x, flatten(x.value(), start, end));
}

Variable squeeze(const Variable& x, const Dims& dims) { return record_reshape("squeeze", x, squeeze(x.value(), dims)); }

Variable unsqueeze(const Variable& x, int64_t dim) { return record_reshape("unsqueeze", x, unsqueeze(x.value(), dim)); }

Variable permute(const Variable& x, const Dims& dims) {
  return record("permute", permute(x.value(), dims), {x}, save(), [dims](const Saved&, const Tensor& grad, Needs) {
    return Grads(permute(grad, inverse_permutation(dims)));
  });
}

Variable transpose(const Variable& x, int64_t first, int64_t second) {
  return record(
      "transpose", transpose(x.value(), first, second), {x}, save(),
      [first, second](const Saved&, const Tensor& grad, Needs) { return Grads(transpose(grad, first, second)); });
}

Variable expand(const Variable& x, const Shape& shape) {
  return record("expand", expand(x.value(), shape), {x}, save(),
                [from = x.shape()](const Saved&, const Tensor& grad, Needs) { return Grads(sum_to(grad, from)); });
}

Variable slice(const Variable& x, int64_t dim, int64_t start, int64_t end, int64_t step) {
  return record("slice", slice(x.value(), dim, start, end, step), {x}, save(),
                [=, shape = x.shape()](const Saved&, const Tensor& grad, Needs) {
                  return Grads(slice_backward(grad, shape, dim, {start, end, step}));
                });
}

Variable select(const Variable& x, int64_t dim, int64_t index) {
  return record("select", select(x.value(), dim, index), {x}, save(),
                [=, shape = x.shape()](const Saved&, const Tensor& grad, Needs) {
                  return Grads(select_backward(grad, shape, dim, index));
                });
}

Variable contiguous(const Variable& x) {
  if (x.value().is_contiguous()) return x;
  return record("contiguous", x.value().contiguous(), {x}, save(),
                [pictures = x.value().is_channels_last()](const Saved&, const Tensor& grad, Needs) {
                  return Grads(pictures ? to_channels_last(grad) : grad);
                });
}

Variable to_channels_last(const Variable& x) {
  Tensor y = to_channels_last(x.value());
  if (y.is_same(x.value())) return x;
  return record("to_channels_last", std::move(y), {x}, save(),
                [](const Saved&, const Tensor& grad, Needs) { return Grads(grad.contiguous()); });
}

Variable to(const Variable& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  if (!is_floating(x.dtype()) || !is_floating(dtype)) return Variable(x.value().to(dtype));
  return record("to", x.value().to(dtype), {x}, save(),
                [from = x.dtype()](const Saved&, const Tensor& grad, Needs) { return Grads(grad.to(from)); });
}

}  // namespace plumb
