#include "engine/ops/random/dropout.h"

#include "autograd/ops/random.h"
#include "autograd/record.h"

namespace plumb {

Variable dropout(const Variable& x, double p, const RandomKey& key) {
  if (p == 0) return x;
  return record("dropout", dropout(x.value(), p, key), {x}, save(),
                [p, key](const Saved&, const Tensor& grad, Needs) { return Grads(dropout(grad, p, key)); });
}

}  // namespace plumb
