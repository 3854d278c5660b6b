#include "autograd/ops/elementwise.h"
#include "autograd/record.h"
#include "engine/ops/reduce/sum.h"

namespace plumb {

Variable where(const Tensor& condition, const Variable& a, const Variable& b) {
  return record("where", where(condition, a.value(), b.value()), {a, b}, save(condition),
                [shape_a = a.shape(), shape_b = b.shape()](const Saved& saved, const Tensor& grad, Needs needs) {
                  return Grads(needs[0] ? sum_to(where(saved[0], grad, 0.0), shape_a) : Tensor(),
                               needs[1] ? sum_to(where(saved[0], 0.0, grad), shape_b) : Tensor());
                });
}

Variable where(const Tensor& condition, const Variable& a, double b) {
  return record("where", where(condition, a.value(), b), {a}, save(condition),
                [shape = a.shape()](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(sum_to(where(saved[0], grad, 0.0), shape));
                });
}

Variable where(const Tensor& condition, double a, const Variable& b) {
  return record("where", where(condition, a, b.value()), {b}, save(condition),
                [shape = b.shape()](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(sum_to(where(saved[0], 0.0, grad), shape));
                });
}

Variable clamp(const Variable& x, const ClampBounds& bounds) {
  return record("clamp", clamp(x.value(), bounds), {x}, save(x.value()),
                [bounds](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(clamp_backward(grad, saved[0], bounds));
                });
}

}  // namespace plumb
