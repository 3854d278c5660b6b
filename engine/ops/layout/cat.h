#pragma once

#include <initializer_list>
#include <span>

#include "engine/tensor.h"

namespace plumb {

/// Puts tensors behind each other along dim: sizes agree everywhere else. At least one part; one dtype (any) and
/// device. The result is channels-last if the first part is. Differentiable in every part; the gradients are views.
/// Throws ShapeError, DTypeError, DeviceError, IndexError.
Tensor cat(std::span<const Tensor> parts, int64_t dim);
inline Tensor cat(std::initializer_list<Tensor> parts, int64_t dim) {
  return cat(std::span<const Tensor>(parts.begin(), parts.size()), dim);
}

/// Puts tensors of one shape behind each other along a new dimension, `dim` of the result. Otherwise like cat.
Tensor stack(std::span<const Tensor> parts, int64_t dim);
inline Tensor stack(std::initializer_list<Tensor> parts, int64_t dim) {
  return stack(std::span<const Tensor>(parts.begin(), parts.size()), dim);
}

}  // namespace plumb
