#include "engine/ops/softmax/softmax.h"

#include "autograd/ops/softmax.h"
#include "autograd/record.h"

namespace plumb {

Variable softmax(const Variable& x, int64_t dim) {
  const Tensor y = softmax(x.value(), dim);
  return record("softmax", y, {x}, save(y), [dim](const Saved& saved, const Tensor& grad, Needs) {
    return Grads(softmax_backward(grad, saved[0], dim));
  });
}

Variable log_softmax(const Variable& x, int64_t dim) {
  const Tensor y = log_softmax(x.value(), dim);
  return record("log_softmax", y, {x}, save(y), [dim](const Saved& saved, const Tensor& grad, Needs) {
    return Grads(log_softmax_backward(grad, saved[0], dim));
  });
}

}  // namespace plumb
