#include "engine/ops/reduce/extremum.h"

#include "autograd/ops/reduce.h"
#include "autograd/record.h"

namespace plumb {
namespace {

Variable record_extremum(const char* name, const Variable& x, const Tensor& y, const Dims& dims) {
  return record(name, y, {x}, save(x.value(), y),
                [mask = dim_mask(name, x.value(), dims)](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(extremum_backward(grad, saved[0], saved[1], mask));
                });
}

}  // namespace

Variable max(const Variable& x, const Dims& dims, bool keepdim) {
  return record_extremum("max", x, max(x.value(), dims, keepdim), dims);
}

Variable min(const Variable& x, const Dims& dims, bool keepdim) {
  return record_extremum("min", x, min(x.value(), dims, keepdim), dims);
}

}  // namespace plumb
