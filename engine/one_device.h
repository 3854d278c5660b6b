#pragma once

#include "engine/config.h"

namespace plumb {

class Tensor;

namespace detail {
void check_one_device(const char* op, const Tensor* const* inputs, int count);
}

/// Throws DeviceError "OP: operands must be on one device; …" unless those that are defined are. Nothing in a build
/// without CUDA. OpScope (profile/op_scope.h) asks it of the tensors it is given; call it for others.
template <class... Tensors>
void require_one_device([[maybe_unused]] const char* op, const Tensors&... inputs) {
  if constexpr (kHasCuda) {
    const Tensor* all[] = {&inputs...};
    detail::check_one_device(op, all, int(sizeof...(inputs)));
  }
}

}  // namespace plumb
