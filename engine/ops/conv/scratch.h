#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Uninitialised memory from the caching allocator: fresh pages would cost more than what is done with them.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count) : tensor_(empty({count}, dtype_of<T>)) {}
  T* data() { return tensor_.mutable_data<T>(); }

 private:
  Tensor tensor_;
};

}  // namespace plumb
