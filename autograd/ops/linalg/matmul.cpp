#include "engine/ops/linalg/matmul.h"

#include "autograd/ops/linalg.h"
#include "autograd/record.h"

namespace plumb {

Variable matmul(const Variable& a, const Variable& b) {
  const Needs needs = needs_of({a, b});
  const Tensor none;
  return record("matmul", matmul(a.value(), b.value()), {a, b},
                save(needs[1] ? a.value() : none, needs[0] ? b.value() : none),
                [a_shape = a.shape(), b_shape = b.shape()](const Saved& saved, const Tensor& grad, Needs wanted) {
                  return Grads(wanted[0] ? matmul_backward_a(grad, saved[1], a_shape) : Tensor(),
                               wanted[1] ? matmul_backward_b(grad, saved[0], b_shape) : Tensor());
                });
}

}  // namespace plumb
