#include "engine/ops/attention/linear_attention.h"

#include "autograd/ops/attention.h"
#include "autograd/record.h"

namespace plumb {

Variable linear_attention(const Variable& q, const Variable& k, const Variable& v) {
  const LinearAttentionResult result = linear_attention(q.value(), k.value(), v.value());
  return record("linear_attention", result.out, {q, k, v}, save(q.value(), k.value(), v.value(), result.state),
                [](const Saved& saved, const Tensor& grad, Needs wanted) {
                  LinearAttentionGrads grads =
                      linear_attention_backward(grad, {saved[0], saved[1], saved[2], {{}, saved[3]}},
                                                {.q = wanted[0], .k = wanted[1], .v = wanted[2]});
                  return Grads(std::move(grads.q), std::move(grads.k), std::move(grads.v));
                });
}

}  // namespace plumb
