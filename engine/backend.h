#pragma once

#include "engine/config.h"
#include "engine/device.h"

namespace plumb {

/// Backend tags. A kernel is overloaded on them: `softmax_kernel(Cpu, …)`, `softmax_kernel(Cuda, …)`.
struct Cpu {};
struct Cuda {
  int device = 0;
  void* stream = nullptr;
  bool deterministic = false;
};

/// Context for work on the current stream of `device`. Throws DeviceError when CUDA is not built in.
Cuda cuda_context(Device device);

/// The one branch on the backend: calls `f(Cpu{})` or `f(Cuda{…})`.
///   on_device(x.device(), [&](auto backend) { softmax_kernel(backend, x, dim, out); });
template <class F>
void on_device(Device device, F&& f) {
  if constexpr (kHasCuda) {
    if (device.is_cuda()) return f(cuda_context(device));
  }
  f(Cpu{});
}

}  // namespace plumb
