#include "engine/ops/index/index_select.h"

#include "autograd/ops/index.h"
#include "autograd/record.h"

namespace plumb {

Variable index_select(const Variable& x, int64_t dim, const Tensor& index) {
  return record("index_select", index_select(x.value(), dim, index), {x}, save(index),
                [dim, shape = x.shape()](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(index_select_backward(grad, shape, dim, saved[0]));
                });
}

}  // namespace plumb
