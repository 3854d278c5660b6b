#include "engine/one_device.h"

#include "engine/format.h"
#include "engine/require.h"
#include "engine/tensor.h"

namespace plumb::detail {

void check_one_device(const char* op, const Tensor* const* inputs, int count) {
  const Tensor* first = nullptr;
  for (int i = 0; i < count; ++i) {
    if (!inputs[i]->defined()) continue;
    if (!first) first = inputs[i];
    require<DeviceError>(inputs[i]->device() == first->device(), "{}: operands must be on one device; {} and {}", op,
                         *first, *inputs[i]);
  }
}

}  // namespace plumb::detail
