#include "engine/ops/index/embedding.h"

#include "autograd/ops/index.h"
#include "autograd/record.h"

namespace plumb {

Variable embedding(const Tensor& indices, const Variable& weight) {
  return record("embedding", embedding(indices, weight.value()), {weight}, save(indices),
                [rows = weight.shape()[0]](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(embedding_backward(grad, saved[0], rows));
                });
}

}  // namespace plumb
