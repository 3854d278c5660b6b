#include "nn/shape_only.h"

namespace plumb {

Tensor shape_only(const Shape& shape, DType dtype) {
  check_shape("shape_only", shape);
  return Tensor::over(Storage::wrap(nullptr, 0, nullptr, nullptr), dtype, shape, contiguous_strides(shape), 0);
}

}  // namespace plumb
