#include "engine/ops/attention/attention.h"

#include "autograd/ops/attention.h"
#include "autograd/record.h"

namespace plumb {

Variable attention(const Variable& q, const Variable& k, const Variable& v, const AttentionOptions& options) {
  const AttentionResult result = attention(q.value(), k.value(), v.value(), options);
  return record("attention", result.out, {q, k, v}, save(q.value(), k.value(), v.value(), result.out, result.lse),
                [options](const Saved& saved, const Tensor& grad, Needs wanted) {
                  AttentionGrads grads =
                      attention_backward(grad, {saved[0], saved[1], saved[2], {saved[3], saved[4]}, options},
                                         {.q = wanted[0], .k = wanted[1], .v = wanted[2]});
                  return Grads(std::move(grads.q), std::move(grads.k), std::move(grads.v));
                });
}

}  // namespace plumb
